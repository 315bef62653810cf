"""Where np.reshape raises, so does a derivative that does not need the result, in the same words."""

from __future__ import annotations

import numpy as np
import pytest

import s2sad


def to_a_shape(x):
    return x.reshape(3, 2).sum()


def to_a_tuple(x):
    return np.sum(np.reshape(x * 2.0, (3, 2)))


def to_the_rest(x):
    return np.sum(x.reshape(3, -1))


def a_part(x):
    return np.sum(x.reshape((3, 2))[0] * 1.5)


def by_a_size(x, n=3):
    return np.sum(x.reshape(n, 2))


def under_a_condition(x):
    return np.sum(x.reshape(3, 2)) if len(x) > 3 else x[0]


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("f", [to_a_shape, to_a_tuple, to_the_rest, a_part, by_a_size, under_a_condition])
@pytest.mark.parametrize("sizes", [(6, 4, 6), (4, 6, 5)])
def test_reshape(f, sizes, jit):
    gradient = s2sad.grad(f, jit=jit)
    for n in sizes:
        if n == 6:
            assert gradient(np.ones(n)).shape == (6,)
            continue
        with pytest.raises(ValueError, match="cannot reshape") as expected:
            f(np.ones(n))
        with pytest.raises(ValueError, match="cannot reshape") as found:
            gradient(np.ones(n))
        assert str(expected.value) in str(found.value)


@pytest.mark.parametrize("jit", [False, True])
def test_what_fits_stays_as_it_is(jit):
    def f(x, n):
        return np.sum(x.reshape(n, -1)[0]) if n > 1 else np.sum(x.reshape(-1))

    gradient = s2sad.grad(f, jit=jit)
    for size, n in ((6, 2), (8, 4), (5, 1), (3, 3)):
        np.testing.assert_array_equal(gradient(np.ones(size), n), np.arange(size) < size // n)
