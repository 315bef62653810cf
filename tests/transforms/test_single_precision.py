"""float32 stays float32: gradients and second derivatives of programs whose seed is a Python number."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from oracle import assert_close

import s2sad

X = np.array([0.5, 1.5, 0.25, 2.0], np.float32)
D = np.diag(np.array([1.0, 2.0, 3.0, 0.5], np.float32)) + np.float32(0.5)
K = np.array([3, 1, 2, 0], np.int16)


def loop(x: Any) -> Any:
    total = np.float32(0)
    for k in range(4):
        total = total + np.sum(D[k] * x) * x[k]
    return total


def steps(x: Any) -> Any:
    y = np.zeros(4, x.dtype)
    for _ in range(3):
        y = D @ (y + x)
    return np.sum(y)


def branch(x: Any) -> Any:
    y = D @ x
    if x[0] > 0:
        return np.sum(y)
    return np.mean(y)


PROGRAMS: list[Callable[..., Any]] = [
    loop,
    steps,
    branch,
    lambda x: np.sum(D @ x),
    lambda x: np.mean(D @ x),
    lambda x: np.sum(np.linalg.solve(D, x)),
    lambda x: np.sum(np.outer(x, x)),
    lambda x: np.sum(np.einsum("ij,j->i", D, x)),
    lambda x: np.sum(np.where(D[0] > 1, x, 0)) + np.sum(K * x) + np.sum(x[K > 1]),
    lambda x: np.sum(np.stack((x, x * 2)) * K) + np.sum(np.cumsum(x)) + np.sum(np.broadcast_to(x, (3, 4))),
    lambda x: np.prod(D @ x) + np.linalg.norm(D @ x) + np.var(D @ x),
    lambda x: np.sum(np.linalg.inv(D * x)) + np.linalg.det(D * x),
    lambda x: np.sum(np.fft.fft(x).real) + np.sum(np.convolve(x, x)),
    lambda x: x[0] * x[1],
]


@pytest.mark.parametrize("f", PROGRAMS)
def test_derivatives_are_of_single_precision(f: Callable[..., Any]):
    wide = X.astype(np.float64)
    bar, product = s2sad.grad(f)(X), s2sad.hvp(f, (X,), (X,))
    y, y_dot = s2sad.jvp(f, (X,), (X,))
    assert {np.result_type(v) for v in (bar, product, y, y_dot)} == {np.dtype(np.float32)}
    assert_close([bar, product], [s2sad.grad(f)(wide), s2sad.hvp(f, (wide,), (wide,))], 1e-3, "value")


W = np.array([1.5, 0.25, -2.0, 1.0])
MIXED: list[Callable[..., Any]] = [
    lambda w: np.sum(X * w),
    lambda w: np.sum(X * w) * 3.3,
    lambda w: 1.1 * np.sum(w / X),
    lambda w: X[0] * w[1] * 3.3,
    lambda w: np.sum(X**2 * w) * 0.1 + np.sum(np.sum(w) * X),
    lambda w: np.sum(np.where(X > 1.0, X * w, w)) * 0.7,
]


@pytest.mark.parametrize("f", MIXED)
def test_doubles_beside_single_precision_stay_doubles(f: Callable[..., Any]):
    bar = s2sad.grad(f)(W)
    assert bar.dtype == np.float64
    ends = [(f(W + d) - f(W - d)) / 2 for d in np.eye(4)]  # all are linear
    np.testing.assert_allclose(bar, ends, rtol=1e-13)


def test_single_precision_beside_half_stays_single():
    x = X.astype(np.float16)
    for f in (lambda w: np.sum(x * w), lambda w: np.sum(x * w * 0.5) * 1e5, lambda w: x[0] * w[1] * 3.3):
        bar, (y, y_dot) = s2sad.grad(f)(X), s2sad.jvp(f, (X,), (X,))
        assert {v.dtype for v in (bar, y, y_dot)} == {np.dtype(np.float32)}
        ends = np.array([f(X + d) - f(X - d) for d in np.eye(4, dtype=np.float32)]) / 2  # all are linear
        np.testing.assert_allclose(bar, ends, rtol=1e-5)


C = np.float64(0.1)
TOGETHER: list[Callable[..., Any]] = [
    lambda x: np.float64(3.7) * x,
    lambda x: (np.add(x, x, dtype=np.float64), np.multiply(x, 3.7, dtype=np.float64)),
    lambda x: np.add((x * 2**30).astype(np.int32), (x * 2**30).astype(np.int32), dtype=np.int64),
    lambda x: (x > C, x == C, x * C, x**C, np.maximum(x, C), np.where(x > 0, C, x)),
    lambda x: (np.sum(x * 0.1, dtype=np.float64), np.dot(x, C * x), np.divide(x, 3, dtype=float)),
    lambda x: (math.sqrt(x[0]), math.exp(x[1]), C + x[0], x[0] * C, x[0] > C),
]


@pytest.mark.parametrize("compiler", ["without_numba", "by_numba"])
@pytest.mark.parametrize("f", TOGETHER)
def test_compiled_arithmetic_of_two_precisions(
    f: Callable[..., Any], compiler: str, request: pytest.FixtureRequest
):
    request.getfixturevalue(compiler)
    for dtype in (np.float32, np.float64):
        x = np.array([0.1, 0.5, 0.25, 1.75], dtype)
        got, want = s2sad.jit(f)(x), f(x)
        for a, b in zip(*((v if isinstance(v, tuple) else (v,)) for v in (got, want)), strict=True):
            assert np.asarray(a).dtype == np.asarray(b).dtype
            exact = 1e-6 if np.asarray(b).dtype == np.float32 else 1e-14
            np.testing.assert_allclose(a, b, rtol=exact)
