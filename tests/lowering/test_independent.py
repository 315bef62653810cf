"""Innermost loops whose trips touch nothing of each other's are marked for the vectoriser, no others."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import assert_close

import s2sad
from s2sad.ir.loops import INDEPENDENT

X, Y = np.linspace(-1.0, 1.0, 90), np.cos(np.arange(90.0))


def marks(f, *args):
    """Return of each innermost loop of a compiled function that has run whether it is marked."""
    compiled = s2sad.jit(f)
    assert_close(compiled(*args), f(*args), 1e-13, f.__name__)
    block = compiled.program.last.main.loops.block
    found = [i for i in block.walk() if i.op.name == "for"]
    return [
        bool(i.param(INDEPENDENT)) for i in found if not any(j.op.name == "for" for j in i.blocks[0].walk())
    ]


def elementwise(x, y):
    z = np.empty_like(x)
    for i in range(x.shape[0]):
        z[i] = x[i] * y[i] + z[i] * 0.0 if i < 0 else x[i]
    return z


def swapped(x, y):
    a, b = x.copy(), y.copy()
    for _ in range(3):
        for i in range(a.shape[0] - 1):
            a[i] = b[i] + b[i + 1]
        a, b = b, a
    return a


def recurrence(x, y):
    z = y.copy()
    for i in range(x.shape[0] - 1):
        z[i + 1] = z[i] * 0.5 + x[i]
    return z


def onto_one(x, y):
    z = np.zeros(3)
    for i in range(x.shape[0]):
        z[1] += x[i] * y[i]
        z[2] = x[i]
    return z


def of_a_view(x, y):
    a = x.copy()
    b = a[::-1]
    for i in range(a.shape[0] - 1):
        a[i] = b[i] + y[i]
    return a


def by_indices(x, y):
    a, k = x.copy(), np.argsort(y)
    for i in range(a.shape[0]):
        a[k[i]] = a[i] + 1.0
    return a


def into_neighbours(x, y):
    a = x.copy()
    for i in range(a.shape[0] - 1):
        a[i] += y[i]
        a[i + 1] += y[i]
    return a


@pytest.mark.parametrize("f", [elementwise, swapped])
def test_marked(f):
    assert all(marks(f, X, Y))


@pytest.mark.parametrize("f", [recurrence, onto_one, of_a_view, by_indices, into_neighbours])
def test_not_marked(f):
    assert not all(marks(f, X, Y))
