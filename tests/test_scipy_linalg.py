"""scipy.linalg: SciPy's values, both modes, second order, compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg as sla
from oracle import assert_close, differences, inner
from property.verdicts import lowering_interpreted

import s2sad

RNG = np.random.default_rng(8)
A = RNG.normal(size=(4, 4)) + 3.0 * np.eye(4)
P = A @ A.T + np.eye(4)
B = RNG.normal(size=(3, 3)) + 2.0 * np.eye(3)
Q = RNG.normal(size=(4, 3))
V, W = RNG.normal(size=4), RNG.normal(size=3)
BANDS = RNG.normal(size=(4, 6)) + np.array([[0.0], [0.0], [6.0], [0.0]])
R, RR = RNG.normal(size=6), RNG.normal(size=(6, 2))
STACK = 0.3 * RNG.normal(size=(2, 3, 3))
TWO = RNG.normal(size=(2, 3))

Program = Callable[..., Any]
PROGRAMS: list[tuple[Program, tuple[Any, ...]]] = [
    (lambda a, b: sla.solve_triangular(a, b), (A, V)),
    (lambda a, b: sla.solve_triangular(a, b, lower=True), (A, Q)),
    (lambda a, b: sla.solve_triangular(a, b, trans=1), (A, Q)),
    (lambda a, b: sla.solve_triangular(a, b, trans="T", lower=True, unit_diagonal=True), (A, V)),
    (lambda a, b: sla.solve_triangular(a, b, unit_diagonal=True), (0.3 * A, Q)),
    (lambda a, b: sla.cho_solve(sla.cho_factor(a), b), (P, V)),
    (lambda a, b: sla.cho_solve(sla.cho_factor(a, lower=True), b), (P, Q)),
    (lambda a: np.triu(sla.cho_factor(a)[0]), (P,)),
    (lambda a: sla.cholesky(a) + sla.cholesky(a, lower=True), (P,)),
    (lambda a: sla.lu_factor(a)[0], (A[::-1].copy(),)),
    (lambda a, b: sla.lu_solve(sla.lu_factor(a), b), (A[::-1].copy(), V)),
    (lambda a, b: sla.lu_solve(sla.lu_factor(a), b, trans=1), (A[[2, 0, 3, 1]], Q)),
    (lambda a: sla.lu(a)[0] @ sla.lu(a)[1] @ sla.lu(a)[2] + sla.lu(a, permute_l=True)[0], (A[::-1].copy(),)),
    (lambda ab, b: sla.solve_banded((1, 2), ab, b), (BANDS, R)),
    (lambda ab, b: sla.solve_banded((1, 2), ab, b), (BANDS, RR)),
    (lambda ab, b: sla.solve_banded((1, 1), ab, b), (BANDS[1:], R)),
    (lambda ab, b: sla.solve_banded((0, 0), ab, b), (BANDS[2:3], R)),
    (lambda a: sla.expm(a), (0.5 * A,)),
    (lambda a: sla.expm(a), (5.0 * A,)),
    (lambda a: sla.expm(a), (STACK,)),
    (lambda a, b: sla.solve(a, b) + sla.solve(a, b, transposed=True), (A, V)),
    (lambda a, b: sla.solve(a, b, assume_a="pos") + sla.solve(a, b, lower=True, assume_a="sym"), (P, V)),
    (lambda a: sla.inv(a) * sla.det(a) + sla.norm(a), (A,)),
    (lambda a: sla.pinv(a) @ a + np.sum(sla.svdvals(a)), (A,)),
    (lambda a: sla.eigh(a, eigvals_only=True) + sla.eigvalsh(a, lower=False) + sla.svd(a)[1], (P,)),
    (lambda c, r: sla.toeplitz(c) @ np.ones(4) + sla.toeplitz(c, r) @ r, (V, W)),
    (lambda c, r: sla.hankel(c) @ np.ones(4) + sla.hankel(c, r) @ r + sla.circulant(c) @ c, (V, W)),
    (lambda a, v: sla.block_diag(a, v, 2.0, a.T) ** 2, (TWO, W)),
]
NOT_COMPILED: list[tuple[Program, tuple[Any, ...]]] = [
    (lambda a, b, q: sla.solve_sylvester(a, b, q), (A, B, Q)),
    (lambda a: sla.sqrtm(a), (P,)),
    (lambda a: sla.eigh(a)[1] ** 2 + sla.eigh(a, lower=False)[0] * np.sign(a), (P,)),
]


@pytest.mark.parametrize("k", range(len(PROGRAMS) + len(NOT_COMPILED)))
def test_value_and_derivatives(k: int):
    f, args = (PROGRAMS + NOT_COMPILED)[k]
    dots = tuple(RNG.normal(size=a.shape) for a in args)
    y, y_dot = s2sad.jvp(f, args, dots)
    expected = f(*args)
    assert y.shape == expected.shape and y.dtype == expected.dtype
    assert_close([y], [expected], 1e-12, "value")
    assert_close([y_dot], differences(f, args, dots, 1e-4), 1e-7, "tangent")
    g = RNG.normal(size=y.shape)
    bars = s2sad.vjp(f, *args)[1](g)
    assert [b.shape for b in bars] == [a.shape for a in args]
    left, right = inner((g,), (y_dot,)), inner(bars, dots)
    assert abs(left - right) <= 1e-11 * max(1.0, abs(left), np.abs(y_dot).max())

    def loss(*xs: Any) -> Any:
        return np.sum(np.sin(f(*xs)))

    argnums = tuple(range(len(args)))
    product = s2sad.hvp(loss, args, dots)
    slopes = differences(lambda *xs: s2sad.grad(loss, argnums=argnums)(*xs), args, dots, 1e-4)
    scale = max(1.0, *(float(np.abs(s).max()) for s in slopes))
    assert_close(product if isinstance(product, tuple) else (product,), slopes, 1e-6 * scale, "second order")


@pytest.mark.parametrize("k", range(len(PROGRAMS)))
def test_loop_nests(k: int):
    """As they are compiled, run as plain Python."""
    f, args = PROGRAMS[k]

    def loss(*xs: Any) -> Any:
        return np.sum(np.sin(f(*xs)))

    argnums = tuple(range(len(args)))
    expected, plain = s2sad.value_and_grad(loss, argnums=argnums)(*args)
    with lowering_interpreted():
        value, bars = s2sad.value_and_grad(loss, argnums=argnums, jit=True)(*args)
    assert_close([value], [expected], 1e-12, "value")
    for bar, other in zip(bars, plain, strict=True):
        assert_close([bar], [other], 1e-10 * max(1.0, np.abs(other).max()), "gradient")


def test_compiled():
    """The functions of LAPACK as Numba calls them, all in one function: each compilation takes seconds."""

    def all_of_them(a: Any, p: Any, v: Any, bands: Any, r: Any, stack: Any) -> Any:
        x = sla.solve_triangular(a, v), sla.solve_triangular(a, a, trans=1, unit_diagonal=True)
        return *x, *sla.lu_factor(a[::-1]), sla.solve_banded((1, 2), bands, r), sla.expm(stack)

    args = (A, P, V, BANDS, RR, 20.0 * STACK)
    for got, expected in zip(s2sad.jit(all_of_them)(*args), all_of_them(*args), strict=True):
        for g, e in zip(got, expected, strict=True):
            assert_close([g], [e], 1e-12 * max(1.0, np.abs(e).max()), "value")


@pytest.mark.parametrize("k", range(len(NOT_COMPILED)))
def test_what_cannot_be_compiled_says_so(k: int):
    f, args = NOT_COMPILED[k]
    with pytest.raises(s2sad.S2sadError, match="S292"):
        s2sad.jit(f)(*args)


def test_a_complex_square_root_is_an_error():
    with pytest.raises(np.linalg.LinAlgError, match="complex"):
        s2sad.jvp(lambda a: sla.sqrtm(a), (-np.eye(2),), (np.eye(2),))


def test_single_precision_is_kept():
    a, b = P.astype(np.float32), V.astype(np.float32)

    def f(a: Any, b: Any) -> Any:
        x = sla.cho_solve(sla.cho_factor(a), b) + sla.lu_solve(sla.lu_factor(a), b)
        return x + sla.expm(0.1 * a) @ sla.solve_triangular(a, b)

    y, pull = s2sad.vjp(f, a, b)
    assert y.dtype == f(a, b).dtype == np.float32
    assert all(bar.dtype == np.float32 for bar in pull(b))


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_the_exponential_of_what_is_not_finite_ends(bad: float):
    def f(a: Any) -> Any:
        return np.sum(sla.expm(a))

    a = np.array([[1.0, bad], [0.0, 2.0]])
    assert np.isnan(s2sad.jit(f)(a))
    assert np.all(np.isnan(s2sad.grad(f, jit=True)(a)))
