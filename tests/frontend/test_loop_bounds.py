"""Loops over counts that come out of integer arrays: bounds are Python ints, whatever the array's dtype."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from oracle import assert_close, differences
from property.verdicts import lowering_interpreted
from right import assert_right

import s2sad

X = np.array([0.3, 0.7, 1.1])


def of_neighbours(x, counts):
    total = 0.0
    for i in range(x.size):
        for k in range(counts[i]):
            total += x[i] ** 3 * x[k]
    return total


def of_lists(x, counts):
    total = 0.0
    for i in range(x.size):
        items = []
        for k in range(counts[i]):
            items.append(x[k] ** 2)
        for item in items:
            total += item**2 * x[i]
        for k in range(counts[0], counts[i], counts[1]):
            total += x[k] ** 3
    return total


@pytest.mark.parametrize("dtype", ["int64", "int32", "int8", "uint8", "uint64"])
@pytest.mark.parametrize("f", [of_neighbours, of_lists])
def test_bounds_of_any_int(f: Callable[..., Any], dtype: str) -> None:
    counts = np.array([0, 1, 3], dtype=dtype)
    for lowered in (False, True):
        assert_right(lambda x: f(x, counts), X, lowered)
    dot = np.array([0.4, -1.0, 0.7])
    with lowering_interpreted():
        pullback = s2sad.vjp(s2sad.grad(f), X, counts)[1]
    slope = differences(s2sad.grad(f), (X, counts), (dot, None), 1e-4)
    assert_close([pullback(dot)[0] @ dot], [slope[0] @ dot], 1e-6, "vjp of grad")
