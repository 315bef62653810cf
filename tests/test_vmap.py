"""vmap: axes, structures, composition with the other transforms, what it writes and what it refuses."""

from __future__ import annotations

import functools
import pickle
from typing import NamedTuple

import numpy as np
import pytest
from oracle import assert_close
from property.verdicts import lowering_interpreted

import s2sad

RNG = np.random.default_rng(3)
X, W = RNG.normal(size=(5, 3)), RNG.normal(size=3)


class Pair(NamedTuple):
    """Two arrays."""

    left: np.ndarray
    right: np.ndarray


def positive(x, w):
    total = 0.0
    for i in range(x.shape[0]):
        if x[i] > 0:
            total += x[i] * w[i] ** 2
    return total


def scaled(x, w=2.0, *, k=1.0):
    return x * w * k


def halves(x):
    x[0] = x[1] ** 2
    return {"sum": np.sum(x), "twice": np.concatenate([x, x])}


def test_axes():
    first = s2sad.vmap(positive, in_axes=(0, None))
    expected = [positive(row, W) for row in X]
    np.testing.assert_allclose(first(X, W), expected, rtol=1e-15)
    np.testing.assert_allclose(s2sad.vmap(positive, in_axes=(1, None))(X.T, W), expected, rtol=1e-15)
    np.testing.assert_allclose(s2sad.vmap(positive, in_axes=(-1, 1))(X.T, X.T), [positive(r, r) for r in X])
    np.testing.assert_array_equal(s2sad.vmap(scaled, out_axes=1)(X), 2.0 * X.T)
    np.testing.assert_array_equal(s2sad.vmap(scaled, out_axes=-1)(X), 2.0 * X.T)


def test_keywords_are_batched_and_defaults_are_not():
    k = np.arange(5.0)
    np.testing.assert_array_equal(s2sad.vmap(scaled)(X, k=k), 2.0 * X * k[:, None])
    np.testing.assert_array_equal(s2sad.vmap(scaled)(X, w=k), X * k[:, None])
    np.testing.assert_array_equal(s2sad.vmap(scaled, in_axes=(0, None))(X, 3.0, k=k), 3.0 * X * k[:, None])


def test_structures():
    def f(p, pair, n):
        return {"a": p["x"] * pair.left, "b": (pair.right, None, n, True)}

    axes = ({"x": 0, "y": None}, Pair(None, 1), None)
    made = s2sad.vmap(f, axes, out_axes={"a": 1, "b": 0})({"x": X, "y": W}, Pair(W, X.T), 7)
    np.testing.assert_array_equal(made["a"], (X * W).T)
    np.testing.assert_array_equal(made["b"][0], X)
    assert made["b"][1] is None and made["b"][2].tolist() == [7] * 5 and made["b"][3].dtype == bool


def test_no_lanes():
    assert s2sad.vmap(halves)(np.ones((0, 3)))["twice"].shape == (0, 6)
    assert s2sad.grad(lambda x: np.sum(s2sad.vmap(positive)(x, x)))(np.ones((0, 3))).shape == (0, 3)


def test_written_arguments_and_draws_follow_the_loop():
    mine, its = X.copy(), X.copy()
    expected = [halves(row) for row in mine]
    made = s2sad.vmap(halves)(its)
    np.testing.assert_array_equal(its, mine)
    np.testing.assert_array_equal(made["twice"], [e["twice"] for e in expected])

    def noisy(x, rng):
        return x + rng.normal(size=3)

    rng = np.random.default_rng(1)
    expected = [noisy(row, rng) for row in X]
    for jit in (False, True):
        with lowering_interpreted():
            got = s2sad.vmap(noisy, in_axes=(0, None), jit=jit)(X, np.random.default_rng(1))
        np.testing.assert_array_equal(got, expected)


def test_compositions():
    each = s2sad.vmap(positive, in_axes=(0, None))
    bars = np.array([s2sad.grad(positive, 1)(row, W) for row in X])
    np.testing.assert_allclose(s2sad.vmap(s2sad.grad(positive, 1), (0, None))(X, W), bars, rtol=1e-14)
    np.testing.assert_allclose(s2sad.jacobian(each, 1)(X, W), bars, rtol=1e-14)
    total = s2sad.grad(lambda w: np.sum(s2sad.vmap(positive, in_axes=(0, None))(X, w) ** 2))
    np.testing.assert_allclose(total(W), 2.0 * each(X, W) @ bars, rtol=1e-13)
    second = [s2sad.hessian(positive, 1)(row, W) for row in X]
    np.testing.assert_allclose(s2sad.vmap(s2sad.hessian(positive, 1), (0, None))(X, W), second, rtol=1e-13)
    np.testing.assert_allclose(s2sad.hessian(each, 1)(X, W), second, rtol=1e-13)
    outer = s2sad.vmap(s2sad.vmap(lambda a, b: a * b, in_axes=(None, 0)), in_axes=(0, None))
    np.testing.assert_array_equal(outer(W, X[:, 0]), np.outer(W, X[:, 0]))
    y, slopes = s2sad.vmap(s2sad.value_and_grad(positive, 1), (0, None))(X, W)
    np.testing.assert_allclose(y, each(X, W), rtol=1e-15)
    np.testing.assert_allclose(slopes, bars, rtol=1e-14)


def test_a_written_argument_under_grad_under_vmap():
    def f(x):
        x[0] = x[1] ** 2
        return np.sum(x * x)

    got = s2sad.vmap(s2sad.grad(f))(X)
    np.testing.assert_allclose(got, [s2sad.grad(f)(row) for row in X], rtol=1e-14)


def test_kinds_of_functions():
    class Model:
        def __init__(self):
            self.w = W

        def __call__(self, x):
            return x @ self.w

        def method(self, x):
            return x @ self.w

    model = Model()
    bound = functools.partial(lambda w, x: x @ w, W)
    for f in (model, model.method, bound, lambda x: x @ W):
        np.testing.assert_allclose(s2sad.vmap(f)(X), X @ W, rtol=1e-13)
    np.testing.assert_array_equal(s2sad.jit(lambda x: s2sad.vmap(np.sum)(x))(X), [np.sum(row) for row in X])
    again = pickle.loads(pickle.dumps(s2sad.vmap(scaled)))
    np.testing.assert_array_equal(again(X), 2.0 * X)


@pytest.mark.parametrize("jit", [False, True])
def test_loop_nests(jit: bool):
    with lowering_interpreted():
        each = s2sad.vmap(positive, in_axes=(0, None), jit=jit)
        np.testing.assert_allclose(each(X, W), [positive(row, W) for row in X], rtol=1e-15)
        y, pullback = s2sad.vjp(each, X, W, jit=jit)
        x_bar, w_bar = pullback(y)
        np.testing.assert_allclose(x_bar, np.where(X > 0, W**2, 0.0) * y[:, None], rtol=1e-13)
        np.testing.assert_allclose(w_bar, np.sum(np.maximum(X, 0.0) * 2.0 * W * y[:, None], 0), rtol=1e-13)


def test_text():
    each = s2sad.vmap(lambda x, w: np.tanh(w @ x), in_axes=(0, None))
    each(X, np.ones((2, 3)))
    body = each.source.partition("def ")[2]
    assert body == (
        "lambda__vmap(x, w):\n"
        "    y = np.empty((x.shape[0], w.shape[0]))\n"
        "    for b in range(x.shape[0]):\n"
        "        y[b] = np.tanh(w @ x[b])\n"
        "    return y\n"
    )


def test_sizes_that_differ_later():
    product = s2sad.vmap(lambda x, y: x @ y)
    product(X, X)
    with pytest.raises(s2sad.TypeMismatch, match="sizes 5 and 2"):
        product(X, X[:2])
    assert product(X[:2], X[:2]).shape == (2,)


SHIFTS = np.array([0.5, 2.0, -1.0])


def shifted(t):
    return np.sum(np.sin(SHIFTS * t))


@pytest.mark.parametrize("jit", [False, True])
def test_a_derivative_that_has_been_called(jit: bool) -> None:
    """It shows its emitted text from then on, where captured arrays are parameters; its function is read."""
    slope, t = s2sad.grad(shifted, jit=jit), np.array([1.1, 1.2])
    expected = np.array([slope(1.1), slope(1.2)])
    assert_close(s2sad.vmap(slope)(t), expected, 1e-14, "vmap")
    assert_close(
        s2sad.vmap(s2sad.grad(slope))(t), -(np.sin(np.outer(t, SHIFTS)) @ SHIFTS**2), 1e-13, "second"
    )
