"""float32 stays float32: gradients and second derivatives of programs whose seed is a Python number."""

from __future__ import annotations

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
