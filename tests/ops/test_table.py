"""One test over the whole table: every op, its shapes, both modes, both orders."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import all_cases
from numeric import Case, bind, contributions, cotangents, cotangents_dot, evaluate, pairing, seed, tangent

from s2sad.ir.op import Kind
from s2sad.ir.types import Array
from s2sad.ops import OPS
from s2sad.ops.expr import Located, Masked, apply

CASES = list(all_cases())
UNKNOWN_LENGTH = ("arange", "getitem", "repeat")  # by floats, masks, index arrays and counts per element
SINGLE = np.dtype(np.float32)
DECOMPOSITIONS = {  # several results, or rules that are made of such: tests/test_linalg.py
    "slogdet", "qr", "eigh", "eigvalsh", "eig", "eigvals", "svd", "svd_triplets", "svdvals",
}  # fmt: skip


def values(rng: np.random.Generator, like: Any) -> Any:
    """Return random numbers of the kind of `like`."""
    a = np.asarray(like)
    v = rng.normal(size=a.shape)
    if a.dtype.kind == "c":
        v = v + 1j * rng.normal(size=a.shape)
    v = v.astype(a.dtype)
    return v if isinstance(like, np.ndarray) else v[()] if isinstance(like, np.generic) else v.item()


def directions(rng: np.random.Generator, case: Case) -> list[Any]:
    """Return tangents for the active arguments."""
    assert case.active is not None
    return [values(rng, a) if k in case.active else None for k, a in enumerate(case.args)]


def moved(case: Case, dots: list[Any], h: float) -> tuple[Any, ...]:
    """Return the arguments moved along the tangents."""
    return tuple(a if d is None else a + h * d for a, d in zip(case.args, dots, strict=True))


def is_single(case: Case) -> bool:
    return (
        any(np.asarray(a).dtype in (np.float32, np.complex64) for a in case.args)
        or SINGLE in case.params.values()
    )


def differences(f: Any, h: float = 2e-4) -> Any:
    """Return the central difference of fourth order of f at 0."""
    one, two = (np.asarray(f(h)) - np.asarray(f(-h)), np.asarray(f(2 * h)) - np.asarray(f(-2 * h)))
    return (8 * one - two) / (12 * h)


def check_jvp(case: Case, rng: np.random.Generator) -> None:
    """Assert that the tangent is what differences of the op itself say."""
    dots = directions(rng, case)
    found = tangent(case, dots)
    y = case.evaluate(*case.args)
    assert np.shape(found) == np.shape(y)
    if is_single(case):
        return
    expected = differences(lambda h: case.evaluate(*moved(case, dots, h)))
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)


def check_dot_product(case: Case, rng: np.random.Generator, known: bool = False) -> None:
    """Assert <y_bar, J x_dot> == <J^T y_bar, x_dot> for each argument alone and for all."""
    dots = directions(rng, case)
    y_bar = values(rng, case.evaluate(*case.args))
    bars = cotangents(case, y_bar, known)
    for bar, a in zip(bars, case.args, strict=True):
        assert bar.shape == np.shape(a)
        assert bar.dtype == np.asarray(a).dtype
    tolerance = 1e-4 if is_single(case) else 1e-12
    subsets = [dots] + [[d if j == k else None for j, d in enumerate(dots)] for k in case.active or ()]
    for some in subsets:
        if all(d is None for d in some):
            continue
        left = pairing(y_bar, tangent(case, some, known))
        right = sum(pairing(bar, d) for bar, d in zip(bars, some, strict=True) if d is not None)
        scale = max(abs(left), abs(right), 1.0)
        assert abs(left - right) <= tolerance * scale, f"{left} != {right}"


def check_second_order(case: Case, rng: np.random.Generator) -> None:
    """Assert that the rule differentiated by the rules is what differences of the rule say."""
    dots = directions(rng, case)
    y_bar = values(rng, case.evaluate(*case.args))
    found = cotangents_dot(case, y_bar, dots)

    def at(h: float, k: int) -> Any:
        there = Case(case.op, moved(case, dots, h), case.params, case.active, case.literals)
        return cotangents(there, y_bar)[k]

    for k in case.active or ():
        expected = differences(lambda h, k=k: at(h, k))
        np.testing.assert_allclose(found[k], expected, rtol=2e-8, atol=2e-8)


def check_types(case: Case) -> None:
    """Assert that the inferred type is that of the value, with known and with unknown sizes."""
    for known in (False, True):
        b = bind(case, known)
        e = apply(case.op.name, *b.leaves, **case.params)
        evaluate(e, b.env)
        if known and isinstance(e.type, Array) and case.op.name not in UNKNOWN_LENGTH:
            assert all(n.is_const for n in e.type.shape), f"{e}: {e.type}"


def check_single(case: Case, rng: np.random.Generator) -> None:
    """Assert that formulas on float32 stay float32."""
    b = bind(case)
    y = b.env[b.y.operand]
    if np.asarray(y).dtype != np.float32 or not isinstance(y, np.ndarray | np.generic):
        return
    found = contributions(b, seed(b, "g", values(rng, y), y))
    for c, a in zip(found, case.args, strict=True):
        if c is None or np.asarray(a).dtype != np.float32:
            continue
        part = c.g if isinstance(c, Located | Masked) else c
        assert part.dtype == np.float32, f"{part.dtype}: {part}"


def check_arguments(case: Case) -> None:
    """Assert that arguments are not modified."""
    before = [np.array(a) for a in case.args]
    case.evaluate(*case.args)
    for a, b in zip(case.args, before, strict=True):
        np.testing.assert_array_equal(a, b)


def check_derivative(case: Case, rng: np.random.Generator) -> None:
    """Assert that first and second derivatives are right."""
    check_jvp(case, rng)
    check_dot_product(case, rng)
    if is_single(case):
        check_single(case, rng)
    elif case.op.name not in ("to_complex",):
        check_second_order(case, rng)


@pytest.mark.parametrize("k", range(len(CASES)), ids=[c.id for c in CASES])
def test_row(k: int, rng: np.random.Generator) -> None:
    case = CASES[k]
    check_arguments(case)
    check_types(case)
    if case.op.name != "integral":  # of which what varies is refused
        check_derivative(case, rng)
    if k % 5 == 0:
        check_dot_product(case, np.random.default_rng(0), known=True)


def test_every_op_has_cases() -> None:
    tried = {case.op.name for case in CASES}
    rules = {op.name for op in OPS.values() if op.kind not in (Kind.NONDIFF, Kind.CONTROL)}
    rules -= {"draw", "sparse_product", "sparse_solve"}  # tests/test_draws.py, tests/test_sparse.py
    rules -= {"solve_triangular", "lu_factor", "solve_banded", "expm", "solve_sylvester", "sqrtm"}
    rules -= {"scipy_eigh", "external", "optimize"}
    assert rules - tried == DECOMPOSITIONS
