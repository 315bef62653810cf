"""Membership, equality and counting where an int is known at run time only."""

# ruff: noqa: E711

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad

X = np.array([0.3, 0.7, 1.1, 0.5])
Pair = namedtuple("Pair", "a b")


def counted(x, n):
    return x[0] * (1, 2, 3, 2).count(n)


def counted_in_a_loop(x, n):
    total = 0.0
    for i in range(3):
        if i in {0: 1, n: 1}:
            total += x[i] ** 2
        total += x[0] * (1, 2, 2).count(i)
    return total


def key_of_a_dict(x, n):
    return x[0] ** 2 if n in {1: 2, 3: 4} else x[1]


def tuple_key_of_a_dict(x, n):
    return x[0] ** 2 if (n, 1) in {(2, 1): 1} else x[1]


def key_among_strings(x, n):
    return x[0] ** 2 if n in dict([(2, 1), ("a", 3)]) else x[1]


def among_strings(x, n):
    return x[0] ** 2 if n in ("a", 2, None) else x[1]


def in_a_range(x, n):
    total = x[0] ** 2 if n in range(7, 2, -2) else x[1]
    return total * x[2] if n not in range(1, x.shape[0]) else total


def never_equal(x, n):
    return x[0] ** 2 if n == "a" or n == None or x[1] == None else x[1] * (n != "b")


def pairs(x, n):
    return x[0] * (Pair(1, n) == (1, 2)) + x[1] * ((1, n) != Pair(1, 2))


def dicts_in_another_order(x, n):
    return x[0] * ({"a": 1, "b": n} == {"b": 2, "a": 1}) + x[1]


def repeated_text(x, n):
    return x[0] * len("ab" * n)


@pytest.mark.parametrize(
    "f",
    [
        counted,
        counted_in_a_loop,
        key_of_a_dict,
        tuple_key_of_a_dict,
        key_among_strings,
        among_strings,
        in_a_range,
        never_equal,
        pairs,
        dicts_in_another_order,
        repeated_text,
    ],
)
def test_as_python(f: Callable[..., Any]) -> None:
    for n in (2, 3, 0, 5):
        h = 1e-6
        value, gradient = s2sad.value_and_grad(f)(X, n)
        assert value == pytest.approx(f(X, n), rel=1e-14)
        slope = [(f(X + h * e, n) - f(X - h * e, n)) / (2 * h) for e in np.eye(4)]
        np.testing.assert_allclose(gradient, slope, atol=1e-8)
