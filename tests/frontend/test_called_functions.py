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
