"""Functions that stay functions of the emitted text, with parameters of all kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from right import assert_right

X = np.array([0.3, 0.7, 1.1, 0.5])


def chained(*args, **options):
    first, *rest = args
    total = first * options.get("weight", 2.0)
    for r in rest:
        total = total * r + options["shift"]
    return total


def summed(x, n, *args, k, w=2.0, **options):
    total = 0.0
    for i in range(n):
        total += x[i] * args[0] + k * x[i] ** 2 * w
        for v in args:
            total = total * 0.9 + v * x[i] + options["lambda_"]
        if total > 4:
            total *= 0.5
    return total


def constants(x):
    return chained(x[0], *x[1:3], shift=x[3], **{"weight": x[1]}) + chained(*list(x), shift=1.0)


def keywords(x):
    a = summed(x, 3, x[3], x[0], k=x[1], **{"lambda_": x[2]})
    return a + summed(x, 2, x[3], x[0], k=x[2], w=x[0], lambda_=1.0)


def odd_names(x):
    a = summed(x, 3, x[3], k=x[1], w=1.0, **{"lambda_": x[2], "a b": x[3]})
    return a * summed(x, 2, x[3], k=x[2], w=x[0], **{"a b": x[3], "lambda_": x[0]})


@pytest.mark.parametrize("f", [constants, keywords, odd_names])
def test_parameters_of_all_kinds(f: Callable[..., Any]) -> None:
    for lowered in (False, True):
        assert_right(f, X, lowered)


def repelled(q, m):
    force = np.zeros_like(q)
    for i in range(m.shape[0]):
        for j in range(i):
            r = q[j] - q[i]
            force[i] += r * m[j]
            force[j] -= r * m[i]
    return force


def gaps(q, m, w):
    for i in range(m.shape[0]):
        for j in range(i):
            r = q[j] - q[i]
            closest = r @ r + 0.1
    found = np.zeros_like(q)
    for i in range(m.shape[0]):
        found[i] += r * closest
    return found, w * 2


def sizes_of_the_first_call(x):
    q, m = np.outer(x, x[:2]), x * x
    v = x[1] * repelled(q, m)
    p = q
    w = 2 * v * m[:, None]
    for _ in range(3):
        a, b = gaps(p, m, x[0] * w)
        w = w + 0.1 * a * b
    a, b = gaps(q, m, x[0] * w)
    return np.sum(a * b)


def test_the_sizes_a_function_needs_are_those_of_its_parameters() -> None:
    assert_right(sizes_of_the_first_call, X, False)
