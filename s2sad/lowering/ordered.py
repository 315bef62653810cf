"""Bins, membership, and places in the flattened array: searches and arithmetic of indices."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from s2sad.ir.core import Instr, Literal, Operand, Value
from s2sad.ir.types import BOOL, INT, WEAK_BOOL, Array, Scalar
from s2sad.lowering.code import ONE, ZERO, Code
from s2sad.lowering.context import Lowerer
from s2sad.lowering.elementwise import combine
from s2sad.lowering.scalars import convert
from s2sad.lowering.views import Index, Lazy


def _define(low: Lowerer, instr: Instr, like: Operand, element: Callable[[Operand], Operand]) -> None:
    """Let element(value) stand for each element of the result, which has the shape of `like`."""
    rep = low.rep(like)
    if isinstance(instr.result.type, Scalar):
        low.define_scalar(instr.result, element(low.scalar(like)))
        return
    found = Lazy(instr.result.type, low.dims(rep), lambda index: element(low.read(rep, index)))
    low.define(instr.result, low.fill(found, instr.result.name))


def lower_digitize(low: Lowerer, instr: Instr) -> None:
    """Lower digitize: a search in the edges, turned round where they fall."""
    code = low.code
    x, bins = instr.args
    edges = low.buffer(low.rep(bins))
    n = low.dim(edges, 0)
    true = code.op("widen", Literal(True), type=WEAK_BOOL)

    def pair(i: Value, state: list[Operand]) -> Sequence[Operand]:
        a, b = low.read(edges, (i,)), low.read(edges, (code.add(i, ONE),))
        return (
            code.op("both", state[0], code.op("less_equal", a, b)),
            code.op("both", state[1], code.op("greater_equal", a, b)),
        )

    rising, falling = code.loop((ZERO, code.sub(n, ONE), ONE), (true, true), pair)
    neither = code.op("not_", code.op("either", rising, falling))
    code.fail_if(neither, ValueError, "bins must be monotonically increasing or decreasing")

    def turned(index: Index) -> Operand:
        back = code.sub(code.sub(n, ONE), index[0])
        return low.read(edges, (code.op("select", rising, index[0], back),))

    line = low.fill(Lazy(edges.type, (n,), turned)).base
    op = "search_left" if instr.param("right", False) else "search_right"
    dtype = np.result_type(x.type.dtype, bins.type.dtype)

    def element(v: Operand) -> Operand:
        at = code.op(op, line, convert(code, v, dtype))
        return code.op("select", rising, at, code.op("subtract", n, at))

    _define(low, instr, x, element)


def lower_isin(low: Lowerer, instr: Instr) -> None:
    """Lower isin: a search in the sorted elements."""
    code = low.code
    x, other = instr.args
    dtype = np.result_type(x.type.dtype, other.type.dtype)
    rep = low.rep(other)
    n = low.dim(rep, 0)
    given = low.fill(
        Lazy(Array(dtype, rep.type.shape), (n,), lambda i: convert(code, low.read(rep, i), dtype))
    )
    line = code.op("sort_line", given.base)
    low.roots[line] = frozenset({line})

    def element(v: Operand) -> Operand:
        value = convert(code, v, dtype)
        at = code.op("search_left", line, value)
        (found,) = code.branch(
            code.op("less", at, n),
            lambda: (code.op("equal", low.read_base(line, (at,)), value),),
            lambda: (code.coerce(Literal(False), Scalar(BOOL)),),
        )
        return found

    _define(low, instr, x, element)


def lower_unravel(low: Lowerer, instr: Instr) -> None:
    """Lower unravel_index: quotients and remainders."""
    code = low.code
    index = instr.args[0]
    dims = tuple(map(low.scalar, instr.args[1:]))
    total = code.product(dims)
    rep = low.rep(index) if isinstance(instr.results[0].type, Scalar) else low.buffer(low.rep(index))

    def check(i: Operand) -> Operand:
        i = convert(code, i, INT)
        code.fail_if(_beyond(code, i, total), ValueError, "index is out of bounds for the array")
        return i

    for k, result in enumerate(instr.results):
        below = code.product(dims[k + 1 :])

        def place(i: Operand, k: int = k, below: Operand = below) -> Operand:
            i = check(i) if k == 0 else convert(code, i, INT)
            quotient = i if below == ONE else code.op("floor_divide", i, below)
            return quotient if k == 0 else code.op("remainder", quotient, dims[k])

        if isinstance(result.type, Scalar):
            low.define_scalar(result, place(low.scalar(index)))
            continue
        assert isinstance(result.type, Array)
        found = Lazy(result.type, low.dims(rep), lambda i, place=place: place(low.read(rep, i)))  # type: ignore[misc]
        low.define(result, low.fill(found, result.name))


def _beyond(code: Code, i: Operand, n: Operand) -> Operand:
    return code.op("either", code.op("less", i, ZERO), code.op("greater_equal", i, n))


def lower_ravel(low: Lowerer, instr: Instr) -> None:
    """Lower ravel_multi_index: Horner's rule."""
    code = low.code
    half = len(instr.args) // 2
    dims = tuple(map(low.scalar, instr.args[half:]))

    def place(index: tuple[Operand, ...]) -> Operand:
        total: Operand = ZERO
        for i, n in zip(index, dims, strict=True):
            i = convert(code, i, INT)
            code.fail_if(_beyond(code, i, n), ValueError, "invalid entry in coordinates array")
            total = i if total == ZERO else code.op("add", code.op("multiply", total, n), i)
        return total

    if isinstance(instr.result.type, Scalar):
        low.define_scalar(instr.result, place(tuple(map(low.scalar, instr.args[:half]))))
        return
    reps = [low.rep(a) for a in instr.args[:half]]
    assert isinstance(instr.result.type, Array)
    low.define(instr.result, low.fill(combine(low, reps, instr.result.type, place), instr.result.name))


TABLE = {
    "digitize": lower_digitize,
    "isin": lower_isin,
    "ravel_multi_index": lower_ravel,
    **{f"unravel_index{rank}": lower_unravel for rank in range(1, 7)},
}
