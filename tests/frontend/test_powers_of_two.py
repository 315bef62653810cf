"""`2 ** n` of ints known when the program runs: sizes, ranges and indices."""

from __future__ import annotations

import numpy as np
import pytest
from right import assert_right

import s2sad

X = np.array([1.0, 0.5, 2.0, -0.3])


def product_state(x, n=3):
    psi = np.zeros(2**n)
    psi[0] = 1.0
    for k in range(n):
        for i in range(2**k):
            psi[i + 2**k] = np.sin(x[k]) * psi[i]
            psi[i] = np.cos(x[k]) * psi[i]
    return np.sum(psi * psi * np.arange(2**n))


def by_bits(x, n=3):
    s = 0.0
    for i in range(2**n):
        for k in range(n):
            bit = i // 2 ** (n - 1 - k) % 2
            s += x[k] ** 2 * bit * i
    return s


def halved(x, levels=2):
    s = 0.0
    for k in range(1, levels + 1):
        step = 2 ** (k - 1)
        for i in range(0, len(x) - step, step):
            s += (x[i + step] - x[i]) ** 2 / 2**k
    return s


@pytest.mark.parametrize("lowered", [False, True])
@pytest.mark.parametrize("program", [product_state, by_bits, halved])
def test_right(program, lowered):
    assert_right(program, X, lowered)


@pytest.mark.parametrize("jit", [False, True])
def test_other_exponents_are_read_anew(jit):
    def f(x, n):
        return x[0] * 2**n

    gradient = s2sad.grad(f, jit=jit)
    for n in (3, 0, -2, 62, 63, 100, 5):
        assert gradient(X, n)[0] == 2**n


@pytest.mark.parametrize("jit", [False, True])
def test_other_sizes_are_read_anew(jit):
    gradient = s2sad.value_and_grad(product_state, jit=jit)
    for n in (2, 0, 4, 1):
        y, bar = gradient(X, n)
        assert abs(y - product_state(X, n)) < 1e-12
        assert not bar[n:].any()
    for n in (-1, -3):
        with pytest.raises((TypeError, s2sad.S2sadError)):
            gradient(X, n)


@pytest.mark.parametrize("jit", [False, True])
def test_powers_beyond_64_bits_in_a_loop(jit):
    def f(x, n):
        s = 0.0
        for k in range(n):
            s += x[0] / 2**k
        return s

    gradient = s2sad.grad(f, jit=jit)
    for n in (4, 80):
        assert abs(gradient(X, n)[0] - (2.0 - 2.0 ** (1 - n))) < 1e-15


def test_emitted_text_says_what_is_assumed():
    def f(x, n, m):
        a = np.zeros(2 ** (n - 1))
        a[0] = x
        for k in range(m):
            a[0] += np.zeros(2**k).shape[0] * x
        return np.sum(a)

    source = s2sad.grad(f).source_for(1.0, 3, 3)
    names: dict[str, object] = {}
    exec(source, names)
    gradient = names["f_grad"]
    assert gradient(1.0, 2, 2) == 4.0
    for n, m, why in (
        (0, 2, "n must be at least 1"),
        (70, 2, "n must be at most 63"),
        (2, 64, "m must be at most 63"),
    ):
        with pytest.raises(ValueError, match=why):
            gradient(1.0, n, m)
