"""A sum of products with one factor, where the sum without it is known: `sum(a) / c` for `sum(a / c)`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from right import assert_right

import s2sad


def log_sum_exp(x):
    m = np.max(x)
    return m + np.log(np.sum(np.exp(x - m)))


def weighted(x):
    m = np.max(x)
    return x[0] * (m * x[1] + np.log(np.sum(np.exp(x - m))))


def in_rows(x):
    y = np.outer(x, x)
    e = np.exp(y - np.max(y, axis=1, keepdims=True))
    p = e / np.sum(e, axis=1, keepdims=True)
    return np.sum(p * y)


def in_columns(x):
    y = np.outer(x, x)
    e = np.exp(y - np.max(y, axis=0))
    return np.sum(np.log(np.sum(e, axis=0))) + np.sum(np.max(y, axis=0))


def across(x):
    """A factor for each column of a square, and sums of rows: it is not the same for all of a sum."""
    e = np.exp(np.outer(x, x * x))
    r = np.sum(e, axis=1)
    return np.sum(np.log(r) * np.sum(e / r, axis=1))


def scaled(x):
    c = np.sin(x[0])
    return np.sum(np.sum(x * x) * (x * x * c)) + np.sum(c / (x * x + 1.0)) * np.sum(x * x + 1.0)


def without_mean(x):
    y = x / np.sum(x)
    return np.sum((y - np.sum(y * np.sum(x))) ** 2)


PROGRAMS = [log_sum_exp, weighted, in_rows, in_columns, across, scaled, without_mean]


@pytest.mark.parametrize("lowered", [False, True])
@pytest.mark.parametrize("f", PROGRAMS)
def test_values(f: Callable[..., float], lowered: bool, rng: np.random.Generator):
    assert_right(f, rng.uniform(0.5, 1.5, size=4), lowered)


def test_text():
    text = s2sad.grad(log_sum_exp).source_for(np.ones(3))
    assert "m_bar = 1.0 - t2 / t2" in text
    assert text.count("np.sum(") == 2


def test_a_narrow_sum_does_not_stand_for_a_wide_one():
    x = np.linspace(0.0, 1.0, 5, dtype=np.float32)

    def f(x, c):
        e = np.exp(x)
        return np.log(np.sum(e)) + np.sum(e / c)

    got = s2sad.grad(f, argnums=(0, 1))(x, np.float64(3.0))
    want = s2sad.grad(f, argnums=(0, 1))(x.astype(np.float64), 3.0)
    np.testing.assert_allclose(got[0], want[0], rtol=1e-6)
    np.testing.assert_allclose(got[1], want[1], rtol=1e-7)  # its terms are wide
    assert got[0].dtype == np.float32
