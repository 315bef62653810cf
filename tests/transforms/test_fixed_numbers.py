"""Numbers that all trips of a loop have in common: computed again, before or in the reverse loop."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import assert_close
from right import assert_right

import s2sad

X = np.array([0.5, 0.7, 0.9])


def in_one_loop(x):
    c, s = x[0] * 0.8, x[0] * x[1]
    for k in range(3):
        a = c * c + c
        s = s * np.exp(-a) * a + x[k] * a * s / c**2
    return s


def in_nested_loops(x):
    c, s = x[2], 0.2
    for i in range(2):
        p = x[i] * c
        for _ in range(3):
            q = p * p + c * c
            s = s * np.sin(q * s) + q
    return s


def in_branches(x):
    c, s = x[1], 0.2
    for k in range(3):
        if x[k] > 0.6:
            t = np.tanh(c * c)
            s = s * t + x[k]
        else:
            s = s / (c * 2.0 + 1.0)
    return s


def of_complex_numbers(x):
    z, u = x[0] + 1j * x[1], x[2] * 1j + 0.2
    for _ in range(3):
        v = u * u + u
        z = z * v + np.exp(-u) * z * z
    return np.sum((z * np.conj(z)).real)


@pytest.mark.parametrize("lowered", [False, True])
@pytest.mark.parametrize("f", [in_one_loop, in_nested_loops, in_branches, of_complex_numbers])
def test_right(f, lowered):
    assert_right(f, X, lowered)


@pytest.mark.parametrize("jit", [False, True])
def test_single_precision(jit):
    single = s2sad.grad(in_one_loop, jit=jit)(X.astype(np.float32))
    assert single.dtype == np.float32
    assert_close(single, s2sad.grad(in_one_loop)(X), 1e-5, "float32")


def test_nothing_is_taped_for_them():
    def f(x, dt, n):
        for _ in range(n):
            x = x - dt**2 * np.sin(x)
        return np.sum(x)

    source = s2sad.grad(f).source_for(X, 0.1, 3)
    assert source.count("np.empty(") == 1, source  # the arrays themselves
    assert "dt ** 2 * x_bar" in source
    assert_close(s2sad.grad(f)(X, 0.1, 0), np.ones(3), 0.0, "no trips")


def of_literals(x):
    n, y = 3, x[0] * x[1]
    while n > 0:
        y = np.sin(y) / np.sqrt(2)
        n = n - 1
    return y


def test_what_is_made_of_literals_is_not_taped():
    for lowered in (False, True):
        assert_right(of_literals, X, lowered)
    assert "= np.sqrt(2)" not in s2sad.grad(of_literals).source_for(X)
