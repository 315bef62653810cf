"""Lists built in loops are joined along any axis, other lists paired with arrays; ranges are indices."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from right import assert_right
from written import written

import s2sad

X = np.array([0.3, 0.7, 1.1])
M = np.array([[0.3, 0.7, 1.1], [0.2, -0.4, 0.5]])
TABLE = (np.sin, np.exp, np.tanh)


def built(x):
    outs = []
    for k in range(4):
        x = np.tanh(x) * 1.5
        outs.append(x * (k + 1))
    return outs


JOINED: dict[str, Callable[..., Any]] = {
    "stack 1": lambda x: np.stack(built(x), axis=1),
    "stack -1": lambda x: np.stack(built(x), -1),
    "concatenate -1": lambda x: np.concatenate(built(x), axis=-1),
    "concatenate None": lambda x: np.concatenate(built(x), axis=None),
    "hstack": lambda x: np.hstack(built(x)),
    "vstack": lambda x: np.vstack(built(x)),
    "dstack": lambda x: np.dstack(built(x)),
    "column_stack": lambda x: np.column_stack(built(x)),
}


@pytest.mark.parametrize("joined", JOINED)
@pytest.mark.parametrize("x", [X, M, np.stack([M, 2 * M])], ids=["vectors", "matrices", "cubes"])
def test_lists_joined(joined: str, x: Any) -> None:
    f = JOINED[joined]

    def weighed(x):
        y = f(x)
        return np.sum(np.cos(np.arange(y.size)) * y.ravel() ** 2) * y.shape[0]

    y, pullback = s2sad.vjp(f, x)
    np.testing.assert_array_equal(y, f(x))
    assert pullback(np.ones_like(y))[0].shape == x.shape
    for lowered in (False, True):
        assert_right(weighed, x, lowered)


@pytest.mark.parametrize("joined", ["stack -1", "hstack", "vstack", "dstack", "column_stack"])
def test_lists_of_numbers_joined(joined: str) -> None:
    f = JOINED[joined]
    y, pullback = s2sad.vjp(f, 0.3)
    np.testing.assert_array_equal(y, f(0.3))
    assert pullback(np.ones_like(y))[0] == pytest.approx((f(0.3 + 1e-6).sum() - f(0.3 - 1e-6).sum()) / 2e-6)


def test_lists_joined_with_out_and_dtype() -> None:
    def into(x):
        stacked, joined = np.zeros((4, x.shape[0])), np.zeros(4 * x.shape[0])
        np.stack(built(x), out=stacked)
        np.concatenate(built(x), out=joined)
        return np.sum(stacked**2) + np.sum(joined**3)

    for lowered in (False, True):
        assert_right(into, X, lowered)
    y, _ = s2sad.vjp(lambda x: np.stack(built(x), dtype=np.float32), X)
    assert y.dtype == np.float32
    with pytest.raises(s2sad.S2sadError, match="S319 TypeError"):
        s2sad.vjp(lambda x: np.stack(built(x), axes=1), X)
    with pytest.raises(s2sad.S2sadError, match="S319 ValueError: zero-dimensional"):
        s2sad.vjp(lambda x: np.concatenate(built(x)), 0.3)


def functions_and_numbers(x):
    s = 0.0
    for f, v in zip(TABLE, x, strict=False):
        s += f(v) * v
    for k, (v, f) in enumerate(zip(reversed(x), TABLE, strict=False)):
        s += k * f(v)
    return s


def ragged_and_numbers(x):
    s = 0.0
    for w, v in zip([np.ones((2, 2)), np.ones((3, 1)), np.ones((1, 2))], x, strict=False):
        s += np.sum(w * v**2)
    for (a, b), v in zip([(1, np.ones(2)), (2, np.ones(3))], x[1:], strict=False):
        s += a * np.sum(b * v)
    return s


def ranges_as_indices(x):
    y = np.outer(x, x)
    y[range(3), [0, 2, 1]] *= 2.0
    return np.sum(y[range(2, -1, -1)] * x) + np.sum(y[:, range(0, 3, 2)] ** 2)


@pytest.mark.parametrize("f", [functions_and_numbers, ragged_and_numbers, ranges_as_indices])
def test_pairs(f: Callable[..., Any]) -> None:
    for lowered in (False, True):
        assert_right(f, X, lowered)


@pytest.mark.parametrize("kind", ["count", "cycle", "repeat"])
def test_iterators_without_end(kind: str) -> None:
    endless = {
        "count": lambda x: sum(k * v for k, v in zip(itertools.count(1), x)),
        "cycle": lambda x: sum(k * v for k, v in zip(itertools.cycle([1.0, -1.0]), x)),
        "repeat": lambda x: sum(k * v for k, v in zip(itertools.repeat(2.0), x)),
    }
    with pytest.raises(s2sad.S2sadError, match=rf"S109 itertools\.{kind} has no end"):
        s2sad.grad(endless[kind])(X)


def test_the_place_of_what_a_list_cannot_hold() -> None:
    def f(x):
        path = []
        n = x.shape[0]
        while n > 0:
            path.append((n, x[0]))  # here
            n -= 1
        return x[0] * len(path)

    with pytest.raises(s2sad.S2sadError, match=r"S321.*\n +path\.append"):
        s2sad.grad(f)(X)


@pytest.mark.parametrize("text", ["np.block(items)", "np.block([items, items])", "np.block([[x], items])"])
def test_block_of_a_list_that_a_loop_builds(text):
    loop = "    items = []\n    for i in range(n):\n        items.append(x * i)\n"
    source = f"def f(x, n):\n{loop}    return np.sum({text}[:3])\n"
    f = written(source, f"<block {text}>", {"np": np})["f"]
    with pytest.raises(s2sad.S2sadError, match="S107"):
        s2sad.grad(f)(np.array([0.5, 1.2, 0.7]), 3)


def test_block_of_a_list_as_it_stands():
    def f(x):
        return np.sum(np.block([[x, 2.0 * x], [x * x, x]])[1] ** 2)

    x = np.array([0.5, 1.2, 0.7])
    np.testing.assert_allclose(s2sad.grad(f)(x), 4.0 * x**3 + 2.0 * x)
