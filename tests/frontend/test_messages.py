"""Messages of exceptions read as in Python, in all the forms people write."""

# ruff: noqa: UP031 (the forms that are tested)
from __future__ import annotations

import numpy as np
import pytest

import s2sad


def percent(x, k):
    if k > 1:
        raise ValueError("k = %d is too big: %5.2f %% %s" % (k, x[0], "abc"))
    return x.sum()


def percent_of_one(x, k):
    if k > 1:
        raise KeyError("%g" % x[1])
    return x.sum()


def string_sum(x, k):
    if k > 1:
        raise ValueError("bad " + str(x[0]) + " value")
    return x.sum()


def format_method(x, k):
    if k > 1:
        raise ValueError(f"{k} and {x[0]:.3f} {k}")
    return x.sum()


def f_string(x, k):
    if k > 1:
        raise ValueError(f"{k} and {x[0]:.3f}")
    return x.sum()


@pytest.mark.parametrize("f", [percent, percent_of_one, string_sum, format_method, f_string])
def test_message(f):
    x = np.array([1.5, 2.0])
    np.testing.assert_array_equal(s2sad.grad(f)(x, 1), [1.0, 1.0])
    with pytest.raises((ValueError, KeyError)) as expected:
        f(x, 3)
    with pytest.raises(expected.type) as found:
        s2sad.grad(f)(x, 3)
    assert str(found.value) == str(expected.value)
