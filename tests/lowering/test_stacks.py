"""Products of stacks of matrices, and what surrounds them, in loops over the stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from property.verdicts import lowering_interpreted

import s2sad


def mixture(a, m, s, w, x):
    """A quadratic form for each of k entries, and what depends on all of them."""
    centred = x[:, None, :] - m
    scaled = s * centred + np.einsum("kij,nkj->nki", w, centred)
    score = a - 0.5 * np.sum(scaled**2, axis=2)
    largest = np.max(score, axis=1, keepdims=True)
    return np.sum(np.log(np.sum(np.exp(score - largest), axis=1)) + largest[:, 0])


def attention(q, k, v):
    """Heads first; softmax over the last axis."""
    score = q @ np.swapaxes(k, 1, 2) / np.sqrt(q.shape[2])
    weight = np.exp(score - np.max(score, axis=2, keepdims=True))
    weight = weight / np.sum(weight, axis=2, keepdims=True)
    return np.sum(np.tanh(weight @ v))


def heads_in_the_middle(q, k, v):
    score = np.einsum("bihd,bjhd->bhij", q, k)
    weight = np.exp(score)
    return np.einsum("bhij,bjhd->bihd", weight / np.sum(weight, axis=-1, keepdims=True), v)


def written_and_read(a, b):
    """An array of all entries that is read as a whole between two products."""
    y = np.tanh(a @ b)
    y += 0.5 * a
    y[0] = 2.0
    z = np.sin(y) @ b + np.mean(y)
    return np.sum(z * y, axis=(1, 2)), y


def transposed(a, b):
    """The stack's axis wanders."""
    y = np.einsum("nij,njk->ikn", a, b)
    z = np.transpose(np.exp(0.1 * y), (2, 0, 1)) - np.max(a, axis=0)
    return z[:, None, 1:] @ b[:, None, :, ::2] * 0.5


def squared(a):
    """Each entry with each other one."""
    y = np.cos(a @ a)
    return np.sum(y * np.transpose(y, (1, 0, 2)), axis=0) + np.linalg.norm(y, axis=(1, 2))


def mixed(w, x):
    """One matrix for the whole stack on the left, and a stack of one."""
    return np.where(x > 0.0, w @ x, 0.0) @ np.ones((1, x.shape[2], 5))


def arrays(*shapes: tuple[int, ...]) -> tuple[Any, ...]:
    r = np.random.default_rng(2)
    return tuple(r.normal(size=s) for s in shapes)


def entries(k: int, n: int, d: int) -> tuple[Any, ...]:
    return arrays((k,), (k, d), (k, d), (k, d, d), (n, d))


CASES: list[tuple[Callable[..., Any], tuple[Any, ...], tuple[Any, ...]]] = [
    (mixture, entries(3, 40, 8), entries(2, 3, 4)),
    (attention, arrays((3, 14, 12), (3, 13, 12), (3, 13, 5)), arrays((2, 3, 4), (2, 5, 4), (2, 5, 1))),
    (heads_in_the_middle, arrays((2, 14, 2, 12), (2, 13, 2, 12), (2, 13, 2, 5)), arrays(*[(1, 2, 3, 2)] * 3)),
    (written_and_read, arrays((3, 13, 13), (3, 13, 13)), arrays((2, 3, 3), (2, 3, 3))),
    (transposed, arrays((3, 13, 13), (3, 13, 13)), arrays((2, 3, 3), (2, 3, 3))),
    (squared, arrays((13, 13, 13)), arrays((3, 3, 3))),
    (mixed, arrays((13, 13), (3, 13, 13)), arrays((3, 3), (1, 3, 4))),
]


@pytest.mark.parametrize(("f", "large", "small"), CASES, ids=[f.__name__ for f, _, _ in CASES])
def test_as_without_loops_over_the_stack(f, large, small):
    argnums = tuple(range(len(large)))

    def scalar(*xs):
        out = f(*xs)
        parts = out if isinstance(out, tuple) else (out,)
        return sum(np.sum(np.sin(p)) for p in parts)

    for args in (large, small):
        dots = tuple(np.cos(x) for x in args)
        before = [x.copy() for x in args]
        with lowering_interpreted():
            compiled = (
                s2sad.jit(f)(*args),
                s2sad.jvp(f, args, dots, jit=True),
                s2sad.grad(scalar, argnums=argnums, jit=True)(*args),
            )
        plain = f(*args), s2sad.jvp(f, args, dots), s2sad.grad(scalar, argnums=argnums)(*args)
        for got, want in zip(leaves(compiled), leaves(plain), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-11)
        for x, was in zip(args, before, strict=True):
            np.testing.assert_array_equal(x, was)


def leaves(x: Any) -> list[Any]:
    return [y for item in x for y in leaves(item)] if isinstance(x, tuple) else [x]
