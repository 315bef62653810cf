"""`pop` and `insert` on lists that loops build."""

from __future__ import annotations

import numpy as np
import pytest
from right import assert_right

import s2sad

X = np.array([1.0, 0.5, 2.0, -0.3])


def a_limited_memory(x):
    s, y = [], []
    g = np.sin(x)
    for k in range(6):
        q = g
        for i in range(len(s) - 1, -1, -1):
            q = q - (s[i] @ q) / (s[i] @ y[i] + 2.0) * y[i]
        xn = x - 0.3 * q
        gn = np.sin(xn) + 0.1 * k * xn
        s.append(xn - x)
        y.append(gn - g)
        if len(s) > 2:
            s.pop(0)
            y.pop(0)
        x, g = xn, gn
    return np.sum(x * x) + s[0] @ y[-1]


def a_path_from_its_end(x):
    path = []
    v = x[0]
    for k in range(4):
        path.insert(0, v * x[k])
        v = np.sin(v) + x[k]
    return np.sum(np.array(path) * np.arange(4)) + path[1]


def a_stack(x):
    stack = [x[0]]
    s = 0.0
    for k in range(1, len(x)):
        stack.append(x[k] * x[0])
        if x[k] > 0.6:
            a = stack.pop()
            b = stack.pop()
            stack.append(np.sin(a) * b)
    while len(stack) > 0:
        s = s * 0.5 + stack.pop()
    return s


def the_middle(x):
    rows = []
    for k in range(5):
        rows.append(x * k)
    taken = rows.pop(2)
    rows.insert(1, taken * x[0])
    rows.insert(-1, x)
    last = rows.pop(-2)
    return np.sum(np.stack(rows) ** 2) + np.sum(last * taken)


def popped_and_overwritten(x):
    rows = []
    for k in range(3):
        rows.append(x * (k + 1.0))
    top = rows.pop()
    rows.append(x * x)
    return np.sum(top * rows[-1])


PROGRAMS = [a_limited_memory, a_path_from_its_end, a_stack, the_middle, popped_and_overwritten]


@pytest.mark.parametrize("lowered", [False, True])
@pytest.mark.parametrize("program", PROGRAMS)
def test_right(program, lowered):
    assert_right(program, X, lowered)


@pytest.mark.parametrize("jit", [False, True])
def test_an_empty_list(jit):
    def f(x, n):
        ys = []
        for k in range(n):
            ys.append(x[k])
        return ys.pop() * ys.pop(0)

    gradient = s2sad.grad(f, jit=jit)
    np.testing.assert_array_equal(gradient(X, 2), [0.5, 1.0, 0.0, 0.0])
    with pytest.raises(IndexError):
        gradient(X, 1)


def test_an_item_that_is_written_afterwards():
    def f(x):
        rows = []
        for k in range(3):
            rows.append(x * k)
        top = rows.pop()
        kept = rows.pop(0)
        rows.insert(0, top)
        top[0] = 5.0
        return np.sum(rows[0]) + np.sum(kept)

    with pytest.raises(s2sad.S2sadError, match="S402"):
        s2sad.value_and_grad(f)(X)
