"""Ranges as values: their lengths and their parts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from property.verdicts import lowering_interpreted
from right import assert_right
from written import written

import s2sad

X = np.linspace(0.1, 1.0, 10)


def parts(x, n, a, b):
    t = 0.0
    for i in range(9)[2:8:3]:
        t += x[i] * x[i]
    for i in range(n)[a:b]:
        t += i * x[i]
    for i in range(n)[b::-1]:
        t += 0.1 * t * x[i]
    for i in range(1, n, 2)[:-1]:
        t += x[i] * x[i] * i
    for i in range(1, n, 2)[::-2]:
        t += 0.1 * x[i] * x[i] * t
    return t * len(range(n)[a:b]) + len(range(n)[:a][1:]) + x[0] * (3 in range(n)[2:])


@pytest.mark.parametrize("n", [0, 3, 4, 9])
def test_parts_of_ranges(n: int):
    compiled = s2sad.value_and_grad(parts, jit=True)
    plain = s2sad.value_and_grad(parts)
    for a in (-10, -3, 0, 1, 5, 12):
        for b in (-8, -1, 0, 2, 8):
            with lowering_interpreted():
                got = compiled(X, n, a, b)
            np.testing.assert_allclose(plain(X, n, a, b)[0], parts(X, n, a, b), rtol=1e-12)
            np.testing.assert_allclose(got[0], parts(X, n, a, b), rtol=1e-12)
            np.testing.assert_allclose(got[1], plain(X, n, a, b)[1], rtol=1e-12)


def test_derivatives_over_parts_of_ranges():
    for lowered in (False, True):
        assert_right(lambda x: parts(x, 7, -5, 8), X, lowered)


def test_a_range_that_ends_before_it_begins_has_no_items():
    def counted(x: Any, a: int, b: int) -> Any:
        known = 1 if range(a, b) else 2
        return x[0] * (known + len(range(a, b)) + 10 * len(range(b)) + 100 * len(range(a, b, -2)))

    for a, b in ((3, 1), (1, 3), (0, 0), (2, -4), (-2, 0)):
        assert s2sad.value_and_grad(counted)(X, a, b)[0] == counted(X, a, b)


def test_a_step_that_is_not_known_is_refused():
    def stepped(x: Any, k: int) -> Any:
        return sum(x[i] for i in range(9)[::k])

    with pytest.raises(s2sad.S2sadError, match=r"S318 a slice of a range needs a step that is known"):
        s2sad.grad(stepped)(X, 2)


def moving(x, k):
    c = np.cumsum(x)
    return np.sum(((c[k:] - c[:-k]) / k) ** 2)


def test_a_check_of_sizes_in_the_text_is_read_again():
    text = s2sad.grad(moving).source_for(X, 3)
    assert "    if len(range(x.shape[0])[k:]) != len(range(x.shape[0])[:-k]):" in text
    slope = written(text, "moving_grad.py", {})["moving_grad"]
    np.testing.assert_array_equal(slope(X, 3), s2sad.grad(moving)(X, 3))
    product = s2sad.jvp(slope, (X, 3), (X, None))[1]
    np.testing.assert_allclose(product, s2sad.hvp(moving, (X, 3), (X, None)), rtol=1e-12)
