"""Every rule in Taylor mode, against itself in nested forward mode."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import all_cases
from numeric import Case, symbolic

from s2sad.ir import interp
from s2sad.ir.builder import Builder, Sizes
from s2sad.ir.core import Block, End, Function, Literal, Parameter, Value
from s2sad.ir.tree import Leaf, Node
from s2sad.ir.types import is_differentiable
from s2sad.ir.verify import verify
from s2sad.transforms.jet import jet
from s2sad.transforms.jvp import jvp

ORDER = 3


def function(case: Case) -> tuple[Function, list[Any], tuple[bool, ...]]:
    """Return the function that is the op, its arguments, and which of them vary."""
    args: list[Any] = []
    for k, a in enumerate(case.args):
        args.append(Literal(a) if k in case.literals else Value(f"x{k}", symbolic(a, f"x{k}")))
    params = [a for a in args if isinstance(a, Value)]
    b = Builder(Sizes())
    ys = b.emit_all(case.op, *args, **case.params)
    signature = tuple(Parameter(p.name, Leaf(k)) for k, p in enumerate(params))
    result = Node("tuple", tuple(range(len(ys))), tuple(map(Leaf, range(len(ys)))))
    block = Block((), tuple(b.instrs), End("return", ys))
    fn = Function("f", tuple(params), block, signature, result)
    kept = [k for k in range(len(args)) if isinstance(args[k], Value)]
    return fn, [case.args[k] for k in kept], tuple(k in (case.active or ()) for k in kept)


def random(rng: np.random.Generator, like: Any) -> Any:
    """Return random numbers of the kind of `like`."""
    a = np.asarray(like)
    v = rng.normal(size=a.shape) + (1j * rng.normal(size=a.shape) if a.dtype.kind == "c" else 0.0)
    v = v.astype(a.dtype)
    return v if isinstance(like, np.ndarray) else v[()] if isinstance(like, np.generic) else v.item()


def nested(fn: Function, flags: tuple[bool, ...], xs: list[Any], terms: list[list[Any]]) -> list[list[Any]]:
    """Return the derivatives of order 1, 2, ... of the results along a curve by jvp of jvp: each takes what
    it is the jvp of takes, and the derivatives of that."""
    found, leaves, active = [], [(k, 0) for k in range(len(xs))], flags
    count = sum(is_differentiable(t) for t in fn.result_types)
    for _ in range(len(terms[0])):
        fn = jvp(fn, active)
        dots = [(k, n + 1) for (k, n), flag in zip(leaves, active, strict=True) if flag]
        active = (*active, *(True for _ in dots))
        leaves += dots
        out = interp.run(fn, *(xs[k] if n == 0 else terms[k][n - 1] for k, n in leaves))
        found.append(list(out[-count:]))
    return found


def check(case: Case, rng: np.random.Generator, order: int = ORDER) -> None:
    """Assert that all derivatives agree."""
    fn, xs, flags = function(case)
    terms = [[random(rng, x) for _ in range(order)] for x in xs]
    made = verify(jet(fn, flags, order))
    given = [t for k, flag in enumerate(flags) if flag for t in terms[k]]
    with np.errstate(all="ignore"):
        out = interp.run(made, *xs, *given)[len(fn.result_types) :]
        expected = nested(fn, flags, xs, terms)
    single = any(np.asarray(a).dtype in (np.float32, np.complex64) for a in (*case.args, *out))
    for k, row in enumerate(expected):
        for j, wanted in enumerate(row):
            got = out[j * order + k]
            assert np.shape(got) == np.shape(wanted)
            assert np.asarray(got).dtype == np.asarray(wanted).dtype
            scale = max(1.0, float(np.max(np.abs(wanted), initial=0.0)))
            np.testing.assert_allclose(got, wanted, rtol=0, atol=(1e-4 if single else 1e-10) * scale)


def chosen() -> list[Case]:
    """Return the first cases of each op, and a share of the others."""
    seen: dict[str, int] = {}
    found = []
    for case in all_cases():
        n = seen[case.op.name] = seen.get(case.op.name, 0) + 1
        if any(function(case)[2]) and (n in (1, 7) or n % 9 == 0):
            found.append(case)
    return found


CASES = chosen()


@pytest.mark.parametrize("case", CASES, ids=[c.id for c in CASES])
def test_jet(case: Case, rng: np.random.Generator) -> None:
    check(case, rng)
