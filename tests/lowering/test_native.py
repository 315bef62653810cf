"""What only compiled code does: SIMD functions and sums in any order against NumPy, products by BLAS."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from written import written

import s2sad
from s2sad.emit import numba_cholesky
from s2sad.machine import cholesky
from s2sad.ops.support import load

TINY = np.finfo(np.float64).tiny
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, TINY, -TINY, TINY / 8, -TINY / 8, 5e-324]
SPECIAL += [1e-300, 1e-17, 0.5, 1.0, -1.0, 2.0, 709.7, 709.8, -745.1, -745.2, 1e5, 1e22, -1e22, 1e300, -1e300]
FUNCTIONS = (
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh",
    "cbrt", "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh",
)  # fmt: skip
ULP = 4  # what glibc promises of libmvec


def points() -> Any:
    rng = np.random.default_rng(0)
    spread = rng.choice([-1.0, 1.0], 400) * 10.0 ** rng.uniform(-12, 3, 400)
    return np.concatenate([SPECIAL, spread, rng.uniform(-1, 1, 200)])


def assert_close(got: Any, want: Any) -> None:
    """Assert that results agree within ULP, special values exactly."""
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
    infinite = np.isinf(want)
    np.testing.assert_array_equal(got[infinite], want[infinite])
    ordinary = np.isfinite(want)
    gap = np.abs(got[ordinary].astype(np.longdouble) - want[ordinary])
    # of denormals the last bits are worth less than their spacing: NumPy and the C library differ there
    assert np.all(gap <= (ULP + 1) * np.spacing(np.abs(want[ordinary]))), np.max(gap)
    zero = want == 0.0
    np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(want[zero]))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_simd_functions(dtype: type):
    functions = [getattr(np, name) for name in FUNCTIONS]
    text = "def f(x):\n    return " + ", ".join(f"np.{name}(x)" for name in FUNCTIONS)
    program = loaded(text)
    with np.errstate(all="ignore"):
        x = points().astype(dtype)
        results = s2sad.jit(program)(x)
        for name, function, got in zip(FUNCTIONS, functions, results, strict=True):
            try:
                assert_close(got, function(x.astype(np.float64)).astype(dtype))
            except AssertionError as error:
                raise AssertionError(f"{name} of {dtype.__name__}: {error}") from error


def loaded(text: str) -> Callable[..., Any]:
    """Return the function of a text that has a file name to be found by."""
    f: Callable[..., Any] = written(text, "<native>", {"np": np})["f"]
    return f


def of_two(x, y):
    return np.power(x, y), np.hypot(x, y), np.arctan2(x, y), np.maximum(x, y), np.minimum(x, y)


def test_simd_functions_of_two():
    x = points()
    y = np.concatenate([x[7:], x[:7]])
    with np.errstate(all="ignore"):
        for got, want in zip(s2sad.jit(of_two)(x, y), of_two(x, y), strict=True):
            assert_close(got + 0.0, want + 0.0)  # of two zeros of unlike sign either is the larger


def largest(x):
    return np.max(x), np.min(x), np.sum(x), np.sum(x * x)


@pytest.mark.parametrize("bad", [None, np.nan, np.inf, -np.inf])
def test_reductions(bad: float | None):
    x = np.random.default_rng(1).normal(size=1003)
    if bad is not None:
        x[517] = bad
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(s2sad.jit(largest)(x), largest(x), rtol=1e-12)


def kahan(x):
    total, lost = 0.0, 0.0
    for i in range(x.shape[0]):
        y = x[i] - lost
        t = total + y
        lost = (t - total) - y
        total = t
    return total


def test_a_compensated_sum_is_left_alone():
    x = np.random.default_rng(2).normal(size=1000) * 10.0 ** np.arange(1000.0).clip(0, 15)
    assert s2sad.jit(kahan)(x) == kahan(x)


def python_functions(x):
    total = 0.0
    for i in range(x.shape[0]):
        total += math.exp(-x[i] * x[i]) + math.erf(x[i]) * math.tanh(x[i])
    return total


def test_functions_of_math():
    x = np.linspace(-3.0, 3.0, 101)
    assert s2sad.jit(python_functions)(x) == pytest.approx(python_functions(x), rel=1e-13)


PRODUCTS = ("kij,nkj->nki", "abij,abjk->abik", "ibj,jbk->ibk")


@pytest.mark.parametrize("subscripts", PRODUCTS)
@pytest.mark.parametrize("n", [2, 17])  # by loops, and by BLAS
def test_stacked_products(subscripts: str, n: int):
    rng = np.random.default_rng(3)
    sizes = dict(zip("abijkn", (2, 3, n, n + 1, n + 2, n + 3), strict=True))
    left, right = subscripts.split("->")[0].split(",")
    a, b = (rng.normal(size=[sizes[c] for c in s]) for s in (left, right))
    text = f"def f(a, b):\n    return np.sum(np.sin(np.einsum('{subscripts}', a, b)))"
    f = loaded(text)
    value, bars = s2sad.value_and_grad(f, argnums=(0, 1), jit=True)(a, b)
    want, expected = s2sad.value_and_grad(f, argnums=(0, 1))(a, b)
    assert value == pytest.approx(want, rel=1e-11)
    for got, bar in zip(bars, expected, strict=True):
        np.testing.assert_allclose(got, bar, rtol=1e-11, atol=1e-12)


def systems(a, b):
    factor = np.linalg.cholesky(a @ a.T + np.eye(a.shape[0]))
    x = np.linalg.solve(a, b)
    y = np.linalg.solve(a.T, x)
    z = np.linalg.solve(factor, y)
    return np.sum(z * np.linalg.solve(factor.T, z)) + np.sum(x * y)


@pytest.mark.parametrize("columns", [(), (3,)])
def test_systems_with_shared_factors(columns: tuple[int, ...]):
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(5, 5)) + 3 * np.eye(5), rng.normal(size=(5, *columns))
    value, bars = s2sad.value_and_grad(systems, argnums=(0, 1), jit=True)(a, b)
    want, expected = s2sad.value_and_grad(systems, argnums=(0, 1))(a, b)
    assert value == pytest.approx(want, rel=1e-11)
    for got, bar in zip(bars, expected, strict=True):
        np.testing.assert_allclose(got, bar, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("by_blocks", [numba_cholesky.cholesky_adjoint, cholesky.cholesky_adjoint])
@pytest.mark.parametrize("n", [0, 1, 32, 33, 70, 110])
def test_adjoint_of_the_factorisation_by_blocks(n: int, by_blocks: Callable[[Any, Any], Any]):
    rng = np.random.default_rng(5)
    factor = np.tril(rng.normal(size=(n, n)), -1) / np.sqrt(n + 1) + np.diag(rng.uniform(1.0, 2.0, n))
    g = rng.normal(size=(n, n))
    above = np.triu(np.full((n, n), np.nan), 1)  # is not read
    got = by_blocks(factor + above, g + above)
    np.testing.assert_allclose(got, load("cholesky_adjoint")(factor, g), rtol=1e-12, atol=1e-12)


def running(lower, x, start):
    """A quadratic form of which the matrix is packed, from `start` on."""
    total = 0.0
    p = start
    for c in range(x.shape[0]):
        for r in range(c + 1, x.shape[0]):
            total += lower[p] * x[r] * x[c]
            p += 1
    return total * total


def test_running_indices_may_count_from_the_end():
    rng = np.random.default_rng(6)
    lower, x = rng.normal(size=50), rng.normal(size=10)
    compiled = s2sad.value_and_grad(running, argnums=(0, 1), jit=True)
    for start in (0, 5, -1, -20, -45, -50):
        want, expected = s2sad.value_and_grad(running, argnums=(0, 1))(lower, x, start)
        value, bars = compiled(lower, x, start)
        assert value == pytest.approx(want, rel=1e-11)
        for got, bar in zip(bars, expected, strict=True):
            np.testing.assert_allclose(got, bar, rtol=1e-11, atol=1e-12)
    with pytest.raises(IndexError):
        compiled(lower, x, 6)


def differences(x, y):
    return np.sqrt(x * x - y * y), x * y - y * x, x**2 - y**2, -(x * y) + y * x


def roots(x, y):
    total = 0.0
    for i in range(len(x)):
        total += np.sqrt(x[i] * x[i] - y[i] ** 2)
    return total


@pytest.mark.parametrize("compiler", ["without_numba", "by_numba"])
def test_equal_products_cancel(compiler: str, request: pytest.FixtureRequest):
    """A product is rounded before another is subtracted: no fused multiplication and subtraction."""
    request.getfixturevalue(compiler)
    x = np.random.default_rng(0).uniform(0.1, 3.0, 41)
    for dtype in (np.float64, np.float32):
        v = x.astype(dtype)
        for found in (*s2sad.jit(differences)(v, v.copy()), s2sad.jit(roots)(v, v.copy())):
            np.testing.assert_array_equal(found, 0.0)
