"""Lengths that a program takes for granted are checked once, at the head, and known from there on."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import assert_close, assert_same
from right import assert_right

import s2sad


def of_pairs(x):
    total = 0.0
    for k in range(x.shape[0]):
        a, b = x[k]
        total += a * b * b
    return total


def of_rows(xs, ys, zs):
    total = 0.0
    for x, y, z in zip(xs, ys, zs, strict=True):
        total += x * y * z * z
    return total


def difference(u, k):
    return k * (u[1:] - u[:-1])


def of_a_pullback(k, u):
    y, pullback = s2sad.vjp(difference, u, k)
    return np.sum(pullback(y)[1] ** 2)


PAIRS = np.array([[1.0, 2.0], [0.5, -1.0], [3.0, 0.25]])
ROWS = (np.array([1.0, 2.0, 0.5]), np.array([-1.0, 0.5, 2.0]), np.array([0.3, 1.0, -0.7]))


def of_captured_rows(x):
    return of_rows(x, ROWS[1], ROWS[2]) ** 2


@pytest.mark.parametrize("lowered", [False, True], ids=["numpy", "lowered"])
@pytest.mark.parametrize(("f", "x"), [(of_pairs, PAIRS), (of_captured_rows, ROWS[0])], ids=["pairs", "rows"])
def test_right(f, x, lowered):
    assert_right(f, x, lowered)


def test_unpacking_is_checked_at_the_head():
    gradient = s2sad.grad(of_pairs)
    assert gradient.source_for(PAIRS).count("raise") == 1
    assert "if x.shape[1] != 2:" in gradient.source_for(PAIRS)
    with pytest.raises(ValueError, match="cannot unpack an array into 2 names"):
        gradient(np.ones((2, 3)))
    assert_same(gradient(np.ones((0, 3))), np.ones((0, 3)), "no trip, nothing to unpack")
    assert_close(gradient(PAIRS), np.stack([PAIRS[:, 1] ** 2, 2.0 * PAIRS[:, 0] * PAIRS[:, 1]], 1), 1e-15, "")


def test_a_strict_zip_is_checked_at_the_head():
    gradient = s2sad.grad(of_rows)
    text = gradient.source_for(*ROWS)
    assert text.count("raise") == 2
    assert "range(xs.shape[0] - 1, -1, -1)" in text
    with pytest.raises(ValueError, match="zip"):
        gradient(ROWS[0], ROWS[1], np.ones(4))


def test_what_a_callee_teaches_is_known_to_its_derivative():
    k, u = ROWS[0], np.array([0.1, 0.7, -0.4, 1.0])
    gradient = s2sad.grad(of_a_pullback)
    assert_close(gradient(k, u), 2.0 * k * (u[1:] - u[:-1]) ** 4, 1e-14, "gradient")
    assert "unbroadcast" not in gradient.source
    assert gradient.source.count("raise") == 1
