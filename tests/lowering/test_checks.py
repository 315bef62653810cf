"""Checks stay before what relies on them: no element is read before it is known to be there."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import assert_close
from property.verdicts import lowering_interpreted

import s2sad


def after_a_loop_over_nothing(x, y, a):
    u = np.sum(a, axis=1)
    v = u[::-1]
    t = 0
    while t < x.shape[0] and x[0] < -0.7:
        v *= y > -0.7
        t += 1
    for i in range(x.shape[0]):  # noqa: B007
        pass
    return y[i] + u


def behind_a_loop_that_raises(x, y, a):
    u = np.zeros(x.shape[0])
    for i in range(x.shape[0]):
        u[i] = a[int(x[i]), 0] * y[i]
    k = int(x[0]) + 1
    if k > 1:
        k = -2 * k
    return np.sum(u) + y[k] * u[-1]


def shapes_checked_between(x, y, a):
    u = np.zeros(x.shape[0])
    for i in range(x.shape[0]):
        u[i] = a[int(x[i]), 1] ** 2
    w = x * y
    for i in range(x.shape[0]):
        u[i] += y[i] * a[i, 0]
    return np.sum(u * w)


PROGRAMS = (after_a_loop_over_nothing, behind_a_loop_that_raises, shapes_checked_between)
ARGUMENTS = {
    "empty": (np.zeros(0), np.ones(0), np.ones((0, 2))),
    "right": (np.array([0.1, 1.2, 2.3]), np.array([0.5, -0.3, 0.8]), np.arange(6.0).reshape(3, 2)),
    "index too large": (np.array([0.1, 3.2, 2.3]), np.array([0.5, -0.3, 0.8]), np.arange(6.0).reshape(3, 2)),
    "index below": (np.array([3.0, -5.2, 2.3]), np.array([0.5, -0.3, 0.8]), np.arange(6.0).reshape(3, 2)),
    "short": (np.array([0.1, 1.2, 0.3]), np.array([0.5]), np.arange(6.0).reshape(3, 2)),
    "shorter": (np.array([0.1, 1.2, 0.3]), np.array([0.5, 0.2]), np.arange(4.0).reshape(2, 2)),
}


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("case", ARGUMENTS)
def test_as_numpy(f, case):
    args = ARGUMENTS[case]
    try:
        expected = f(*args)
    except (IndexError, ValueError, NameError) as error:
        expected = error
    for kernel in (lambda: s2sad.jit(f), lambda: lambda *a: s2sad.vjp(f, *a, jit=True)[0]):
        with lowering_interpreted():
            if isinstance(expected, Exception):
                with pytest.raises(type(expected)):
                    kernel()(*args)
            else:
                assert_close(kernel()(*args), expected, 1e-12, case)


def parts_that_shrink(x, n):
    s = 0.0
    for i in range(x.shape[0]):
        s += x[i:][n - i]
    return s


@pytest.mark.parametrize("n", range(-4, 5))
def test_lengths_that_change_from_trip_to_trip(n):
    x = np.array([0.5, 1.5, 2.5])
    with lowering_interpreted():
        if n in (1, 2):
            value = parts_that_shrink(x, n)
            found = s2sad.jvp(parts_that_shrink, (x, n), (x, None), jit=True)
            assert_close(found, (value, value), 1e-12, "")
        else:
            with pytest.raises(IndexError):
                parts_that_shrink(x, n)
            with pytest.raises(IndexError):
                s2sad.jvp(parts_that_shrink, (x, n), (x, None), jit=True)
