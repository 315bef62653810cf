"""How lowered functions are tested: against the reference evaluator, interpreted and as text."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from s2sad.emit.load import load
from s2sad.emit.source import module
from s2sad.frontend.build import build
from s2sad.ir import interp
from s2sad.ir.builder import Builder, Sizes
from s2sad.ir.core import Function, Literal, Value
from s2sad.ir.size import Size
from s2sad.ir.structure import flatten
from s2sad.ir.tree import Leaf
from s2sad.ir.types import Array, Scalar, Type, type_of
from s2sad.ir.verify import verify
from s2sad.lowering.lower import lower
from s2sad.lowering.optimize import NESTS
from s2sad.ops import OPS
from s2sad.passes.bufferize import bufferize

Leaves = list[Any]


def symbolic(value: Any, name: str) -> Type:
    """Return the type of a value with a symbol for each size, and for an int."""
    t = type_of(value)
    if isinstance(t, Array):
        sizes = (Size.symbol(f"{name}.{k}") if n != 1 else Size.of(1) for k, n in enumerate(value.shape))
        return Array(t.dtype, tuple(sizes))
    if t.weak and t.dtype.kind == "i":
        return Scalar(t.dtype, True, Size.symbol(name))
    return t


def function_of(op: str, args: tuple[Any, ...], params: dict[str, Any]) -> tuple[Function, Leaves]:
    """Return the function that applies one op to its parameters, and their values; a Literal among
    `args` is written into the program."""
    builder = Builder(Sizes())
    operands = [
        a if isinstance(a, Literal) else Value(f"x{k}", symbolic(a, f"x{k}")) for k, a in enumerate(args)
    ]
    values = tuple(v for v in operands if isinstance(v, Value))
    leaves = [a for a in args if not isinstance(a, Literal)]
    results = builder.emit_all(OPS[op], *operands, **params)
    return Function("f", values, builder.block((), "return", *results), (), Leaf(0)), leaves


def built(f: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Function, Leaves]:
    """Return the IR of a program and the leaves of its arguments."""
    fn = build(f, copied(args))
    leaves: Leaves = []
    for p, value in zip(fn.signature, args, strict=True):
        leaves += [value] if isinstance(p.tree, Leaf) else flatten(value, p.name)[1]
    return fn, leaves


def lowered(fn: Function) -> tuple[Function, str]:
    """Return the lowered form of a function, verified, and its text."""
    low = verify(lower(bufferize(fn)), "lower")
    for step in NESTS:
        low = verify(step(low), step.__name__)
    return low, module(low)


def copied(value: Any) -> Any:
    """Return arguments with arrays of their own."""
    if isinstance(value, np.ndarray):
        return value.copy(order="K")
    return type(value)(map(copied, value)) if isinstance(value, list | tuple) else value


def flat(value: Any) -> Leaves:
    """Return the leaves of nested tuples."""
    return [leaf for item in value for leaf in flat(item)] if isinstance(value, tuple) else [value]


def outcome(call: Callable[[], Any]) -> Any:
    """Return the flat results of a call, or what it raised."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return flat(call())
        except (ArithmeticError, AssertionError, LookupError, TypeError, ValueError) as error:
            return error


def assert_outcome(want: Any, got: Any, place: str = "") -> None:
    """Assert that two outcomes are the same: numbers, shapes, dtypes, or exception types."""
    if isinstance(want, Exception) or isinstance(got, Exception):
        assert type(got) is type(want), (want, got)
        assert place in str(got), f"{got} does not name {place}"
        return
    assert len(want) == len(got)
    for a, b in zip(want, got, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        tolerance = 2e-6 if a.dtype in (np.float32, np.complex64) else 1e-12
        np.testing.assert_allclose(b, a, rtol=tolerance, atol=tolerance)


def check(fn: Function, leaves: Leaves, want: Any = None) -> str:
    """Assert that the lowered function does what the function does; return its text."""
    low, text = lowered(fn)
    shown = len(fn.result_types) - len(fn.writes)
    if want is None:
        want = outcome(lambda: interp.run(fn, *leaves)[:shown])
    assert_outcome(want, outcome(lambda: interp.run(low, *leaves)[:shown]))
    assert_outcome(want, outcome(lambda: load(text, "<lowered>")[low.name](*copied(leaves))))
    return text
