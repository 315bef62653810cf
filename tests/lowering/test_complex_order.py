"""Complex numbers compare by their real parts first, compiled too."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import s2sad

PARTS = ((0.0, 1.0, -1.0, math.nan, math.inf), (0.0, 1.0, -2.0, math.nan))
NUMBERS = np.array([complex(a, b) for a, b in itertools.product(*PARTS)])
X, Y = (a.ravel().copy() for a in np.meshgrid(NUMBERS, NUMBERS))


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("compare", [np.less, np.less_equal, np.greater, np.greater_equal])
def test_order(compare):
    def both(x, y):
        return 1.0 * compare(x, y), 1.0 * compare(x, y.real)

    for found, expected in zip(s2sad.jit(both)(X, Y), both(X, Y), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_derivatives_of_the_largest():
    x, y = np.array([1 + 2j, 0.5 - 1j, 2 + 1j]), np.array([1 + 1j, 0.5 + 1j, 1 - 3j])
    dots = (np.array([1j, 2.0, 3.0]), np.array([4.0, 5j, 6.0]))
    found = s2sad.jvp(lambda x, y: np.maximum(x, y), (x, y), dots, jit=True)
    np.testing.assert_array_equal(found[0], np.maximum(x, y))
    np.testing.assert_array_equal(found[1], np.where(x >= y, *dots))
