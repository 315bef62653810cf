"""NumPy's recipes through the whole compiler: emitted and compiled, values, both modes, second order."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from oracle import assert_close, differences, inner
from property.verdicts import lowering_interpreted

import s2sad

RNG = np.random.default_rng(5)
INPUTS = {
    "V": np.array([0.3, -1.2, 2.5, 0.7, -0.4]),
    "W": np.array([0.5, 1.5, -0.8]),
    "A": RNG.normal(size=(3, 4)),
    "T": RNG.normal(size=(2, 3, 4)),
    "G": np.array([[0.3, np.nan, -1.2, 2.0], [np.nan, np.nan, 0.4, 1.1], [0.2, 0.9, -0.5, 1.7]]),
    "X": 1.3,
    "K": np.array([2, 0, 1]),
}

METHODS = [
    *("inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf"),
    *("hazen", "weibull", "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest"),
]


def by_method(name: str) -> Any:
    return lambda A: np.quantile(A, [0.05, 0.3, 0.71], axis=1, method=name)


PROGRAMS = [
    lambda V: np.partition(V, 2) * np.partition(V * V, 1),
    lambda A: np.partition(A, (1, 2), axis=0) + np.partition(A, -1)[:, ::-1],
    lambda A: np.partition(A, 3, axis=None),
    lambda V: V[np.argpartition(V, 1)[:2]].sum(),
    lambda V: V[np.lexsort((V, np.array([1, 0, 1, 0, 1])))],
    lambda V: np.real(np.sort_complex(V)),
    lambda A: np.maximum.accumulate(A) * np.minimum.accumulate(A, axis=1),
    lambda V: np.maximum.accumulate(V)[::-1] * V,
    lambda A: np.quantile(A, 0.3, axis=(0, 1)) + np.quantile(A, [0.2, 0.9], axis=0, keepdims=True),
    lambda A: np.percentile(A, 40.0, keepdims=True) + np.median(A, axis=0),
    *map(by_method, METHODS),
    lambda X, V: np.quantile(V, X / 3.0, method="hazen") * np.quantile(V, X / 2.0),
    lambda G: np.nanmedian(G, axis=1) * np.nanmedian(G),
    lambda G: np.nanmedian(G, axis=0, keepdims=True),
    lambda G: np.nanquantile(G, 0.3, axis=1) + np.nanquantile(G, [0.1, 0.7, 0.9], axis=1).T[0],
    lambda G: np.nanpercentile(G, [10, 80]) * np.nanquantile(G, 0.6, method="weibull"),
    lambda T: np.nanquantile(T, 0.3, axis=(0, 2)) * np.nanmedian(T, axis=(0, 2)),
    lambda V: np.delete(V, 1) * np.delete(V * V, -1),
    lambda V: np.delete(V, [0, 3]),
    lambda A: np.delete(A, 2, axis=1) * 2.0,
    lambda V: np.delete(V, V > 0.5),
    lambda V: sum(np.delete(V, i).prod() for i in range(len(V))),
    lambda V, X: np.insert(V, 2, X) * np.insert(V, -1, X * X),
    lambda V, W: np.insert(V, 0, W),
    lambda V: np.insert(V, [1, 3, 1], V[:3] ** 2),
    lambda A, V: np.insert(A, 1, V[:3], axis=1) * 2.0,
    lambda A, X: np.insert(A, 2, X, axis=0),
    lambda A, V: np.insert(A, [1, 2], A[:, :2] ** 2, axis=1),
    lambda W: np.resize(W, (2, 5)) ** 2,
    lambda A: np.resize(A, 5),
    lambda A, V: np.choose(np.array([0, 2, 1, 0]), (A[0], A[1] ** 2, 3.0)) * V[:4],
    lambda A: np.choose(np.array([3, -1, 1, 0]), [A[0], A[1] ** 2, A[2]], mode="wrap"),
    lambda V: np.unwrap(np.cumsum(V * 3.0)) * np.unwrap(V * 5.0, period=1.9),
    lambda A: np.unwrap(A * 4.0, axis=0, discont=4.0),
    lambda A, W: np.vecmat(W, A) + np.vecmat(A.T, A)[0],
    lambda V: np.real_if_close(V) * V,
    lambda V: np.i0(V) + V * np.i0(V * V),
    lambda X: np.geomspace(X, X * 20.0, 5) * np.geomspace(-1.0, -X, 5, endpoint=False),
    lambda X: np.kaiser(6, X) + np.hamming(6) + np.hanning(6) * X,
    lambda V: np.blackman(5) * np.bartlett(5) * V + np.hanning(1),
    lambda V: np.unique(V) * 2.0,
    lambda A: np.unique(A)[2:],
    lambda V, W: np.union1d(V, W),
    lambda V, W: np.setdiff1d(V, W[:2]) * np.setdiff1d(V, V[1:])[0],
    lambda V: np.intersect1d(V, V[2:]) + np.setxor1d(V, V[:3])[0],
    lambda V: np.histogram(np.array([0.1, 0.2, 0.6, 0.9, 1.0]), 4, weights=V)[0] ** 2,
    lambda V: np.histogram(np.array([0.1, 0.2, 0.6, 0.9, 1.0]), [0.0, 0.5, 0.7, 1.0], weights=V)[0],
    lambda V: np.histogram(V, 4)[1] * np.histogram(V, 4)[0].sum(),
]  # fmt: skip

VALUES = [
    lambda V: np.argpartition(V, 1)[1] + np.lexsort((V,)),
    lambda V, W: np.digitize(V, np.sort(W)) + np.digitize(V, np.sort(W)[::-1], right=True),
    lambda A, V: np.isin(A, V) | np.isin(np.round(A), np.array([0.0, 1.0]), invert=True),
    lambda A: np.unravel_index(np.argmax(A), A.shape),
    lambda K: np.unravel_index(K, (2, 2)),
    lambda K: np.ravel_multi_index((K, K), (3, 4)) + np.ravel_multi_index((K, K + 3), (3, 4), mode="wrap"),
    lambda A: np.unique(np.round(A), return_index=True, return_inverse=True, return_counts=True),
    lambda G: np.unique(G, return_counts=True),
    lambda G: np.unique(G, equal_nan=False),
    lambda V: np.unique_all(np.round(V)).counts,
    lambda A: np.histogram(A, 5),
    lambda A: np.histogram(A, 5, range=(-1.0, 0.5), density=True),
    lambda A: np.histogram(A, np.array([-1.0, 0.0, 0.3, 2.0])),
    lambda V: np.zeros(3, dtype=np.result_type(V, np.float32, 1)),
    lambda K: np.choose(K, (1, 2.5, 3)),
    lambda K: np.union1d(K, np.array([7, 1])),
]  # fmt: skip


def text(f: Any) -> str:
    line = inspect.getsource(f).strip().removeprefix("return ")
    return line.removeprefix("lambda ").rstrip(",")[:70]


def inputs_of(f: Any) -> tuple[Any, ...]:
    return tuple(INPUTS[name] for name in inspect.signature(f).parameters)


def like(v: Any, rng: Any) -> Any:
    return rng.normal(size=v.shape) if isinstance(v, np.ndarray) else 0.7


def assert_same(found: Any, expected: Any) -> None:
    if isinstance(expected, tuple | list):
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            assert_same(a, b)
        return
    assert np.asarray(found).dtype == np.asarray(expected).dtype
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=2e-15, atol=1e-15)


@pytest.mark.parametrize("jit", [False, True], ids=["emitted", "lowered"])
@pytest.mark.parametrize("f", PROGRAMS, ids=text)
def test_value_modes_and_second_order(f: Any, jit: bool):
    with lowering_interpreted():
        check(f, jit)


def check(f: Any, jit: bool) -> None:
    args = inputs_of(f)
    given = [np.copy(a) for a in args]
    rng = np.random.default_rng(0)
    dots = tuple(like(a, rng) for a in args)
    value = f(*args)
    y, y_dot = s2sad.jvp(f, args, dots, jit=jit)
    assert_same(y, value)
    assert_close([y_dot], differences(f, args, dots, 1e-4), 1e-8, "tangent")
    y, pullback = s2sad.vjp(f, *args, jit=jit)
    y_bar = rng.normal(size=np.shape(value))
    bars = pullback(y_bar if isinstance(value, np.ndarray) else type(value)(y_bar))
    left, right = inner((y_bar,), (np.asarray(y_dot),)), inner(bars, dots)
    assert abs(left - right) <= 1e-12 * max(1.0, abs(left))

    def total(*xs: Any) -> Any:
        y = f(*xs)
        return np.sum(y * y * 0.5)

    places = tuple(range(len(args)))
    gradient = s2sad.grad(total, argnums=places)
    second = s2sad.hvp(total, args, dots, jit=jit)
    second = second if len(args) > 1 else (second,)
    assert_close(list(second), differences(gradient, args, dots, 1e-4), 1e-6, "second order")
    for a, b in zip(args, given, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("jit", [False, True], ids=["emitted", "lowered"])
@pytest.mark.parametrize("f", VALUES, ids=text)
def test_value(f: Any, jit: bool):
    args = inputs_of(f)
    with lowering_interpreted():
        found = s2sad.jit(f)(*args) if jit else s2sad.vjp(f, *args)[0]
    assert_same(found, f(*args))


RAISING = [
    lambda K: np.unravel_index(K, (2,)),
    lambda K: np.ravel_multi_index((K, K), (2, 3)),
    lambda V: np.histogram(V, np.array([1.0, 0.0]))[0],
    lambda V: np.partition(V, len(V)),
    lambda V: np.digitize(V, np.array([1.0, 0.0, 2.0])),
    lambda K: np.choose(K, (1.0, 2.0)),
    lambda K: np.choose(K - 1, (1.0, 2.0, 3.0)),
    lambda V, K: np.delete(V, K + 3),
    lambda V, K: np.delete(V, len(V) + K[2]),
    lambda V, K: np.insert(V, len(V) + K[2], 1.0),
    lambda V, K: np.insert(V, -len(V) - K[2], 1.0),
]


@pytest.mark.parametrize("jit", [False, True], ids=["emitted", "lowered"])
@pytest.mark.parametrize("f", RAISING, ids=text)
def test_what_numpy_refuses_raises(f: Any, jit: bool):
    args = inputs_of(f)
    with pytest.raises((ValueError, IndexError)):
        f(*args)
    with lowering_interpreted(), pytest.raises((ValueError, IndexError, s2sad.S2sadError)):
        s2sad.jit(f)(*args) if jit else s2sad.vjp(f, *args)
