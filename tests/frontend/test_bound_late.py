"""Arrays that are bound only inside of a loop: read after it, or in a later trip of one around it."""

# ruff: noqa: F841 - names that are bound late

from __future__ import annotations

import numpy as np
import pytest
from right import assert_right

import s2sad

X = np.array([1.0, 0.5, 2.0, -0.3])


def listed_after_an_inner_loop(x):
    found = []
    for k in range(3):
        for j in range(1, 4):
            xn = x * j + k
        found.append(xn)
    return sum(np.sum(y * y) for y in found)


def line_search(x):
    for _ in range(3):
        d = 0.3 - x
        t = 2.7
        while True:
            xn = x + t * d
            if np.sum(xn * xn) < 0.98 * np.sum(x * x) or t < 1e-2:
                break
            t *= 0.5
        x = xn * 1.1
    return np.sum(x**3)


def line_search_with_a_history(x):
    s, y = [], []
    g = 2.0 * x
    for _ in range(3):
        t = 0.9
        while True:
            xn = x - t * g
            if np.sum(xn * xn) < 0.5 * np.sum(x * x):
                break
            t *= 0.5
        gn = 2.0 * xn + 0.1 * np.sin(xn)
        s.append(xn - x)
        y.append(gn - g)
        x, g = xn, gn
    total = 0.0
    for k in range(len(s) - 1, -1, -1):
        total += s[k] @ y[k] / (y[k] @ y[k])
    return total + np.sum(x)


def read_twice_before_it_is_bound(x):
    s = 0.0
    for i in range(4):
        if i > 0:
            s += np.sum(last * last) * x[0]
        if i > 1:
            s += np.sum(np.sin(last))
        last = x * (i + s)
    return s


def a_matrix_and_a_row(x):
    m = np.outer(x, x)
    rows = []
    for k in range(3):
        for j in range(2):
            p = m @ m * j + np.eye(4)
            r = p[k] + x
        rows.append(r)
        m = p / (1.0 + np.sum(p * p))
    return np.sum(np.stack(rows) ** 2) + np.sum(m)


def a_pair(x):
    s = 0.0
    for k in range(3):
        for j in range(2):
            pair = (x * j, x[k] + j)
        s += np.sum(pair[0]) * pair[1]
    return s


def of_a_size_that_follows(x):
    parts = []
    for k in range(3):
        for _ in range(2):
            d = x[1:] - k * x[:-1]
        parts.append(d * d)
    return np.sum(np.array(parts))


def of_a_size_known_when_it_runs(x):
    y = x[x > 0.0] * x[0]
    parts = []
    for k in range(3):
        for j in range(2):
            d = y * (j + k)
        parts.append(d)
    return np.sum(np.array(parts) ** 2)


def of_sizes_that_differ(x):
    s = 0.0
    for k in range(3):
        for j in range(2, 4):
            d = x[: j - k] * x[0]
        s += np.sum(d * d)
    return s


PROGRAMS = [
    listed_after_an_inner_loop,
    line_search,
    line_search_with_a_history,
    read_twice_before_it_is_bound,
    a_matrix_and_a_row,
    a_pair,
    of_a_size_that_follows,
    of_a_size_known_when_it_runs,
    of_sizes_that_differ,
]


@pytest.mark.parametrize("lowered", [False, True])
@pytest.mark.parametrize("program", PROGRAMS)
def test_right(program, lowered):
    assert_right(program, X, lowered)


@pytest.mark.parametrize("jit", [False, True])
def test_without_trips_the_name_is_not_bound(jit):
    def f(x, n):
        found = []
        for k in range(3):
            for _ in range(n):
                xn = x * k
            found.append(xn)
        return np.sum(found[-1])

    gradient = s2sad.grad(f, jit=jit)
    np.testing.assert_array_equal(gradient(X, 2), 2.0 * np.ones(4))
    with pytest.raises(UnboundLocalError, match="`xn`"):
        gradient(X, 0)
