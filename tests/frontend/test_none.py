"""Names that are None until a loop or a branch binds them to a value."""

from __future__ import annotations

import numpy as np
import pytest
from right import assert_right

import s2sad

X = np.array([1.0, 0.5, 2.0, -0.3])


def until_the_first_trip(x):
    prev = None
    s = 0.0
    for v in x:
        if prev is None:
            prev = v
        else:
            s += (v - prev) ** 2 * x[0]
            prev = v
    return s


def bound_where_the_index_is_zero(x):
    prev = None
    s = 0.0
    for t in range(len(x)):
        if t == 0:
            prev = x[t]
        s += (x[t] - prev) ** 2
        prev = x[t] * s
    return s


def read_where_the_index_is_not_zero(x):
    prev = None
    s = 0.0
    for t in range(len(x)):
        if t > 0:
            s += x[t] * np.sin(prev)
        prev = x[t] * x[0]
    return s


def the_smallest(x):
    best = None
    for v in x * x:
        if best is None or v < best:
            best = v
    return best


def the_largest_and_where(x):
    best, where = None, None
    for i in range(len(x)):
        v = x[i] ** 2 + x[0]
        if best is not None and v <= best:
            continue
        best, where = v, i
    return best * x[where - 1]


def the_best_array(x):
    best, cost = None, np.inf
    for k in range(1, 4):
        y = np.sin(x * k)
        c = np.sum(y * y)
        if best is None or c < cost:
            best, cost = y, c
    return np.sum(best**3) + cost


def until_converged(x):
    prev = None
    while prev is None or np.sum((x - prev) ** 2) > 1e-3:
        prev = x
        x = np.sin(x) * 0.5
    return np.sum(x * prev)


def forgotten_now_and_then(x):
    held = None
    s = 0.0
    for i in range(len(x)):
        if held is not None:
            s += held * x[i]
            held = None
        elif x[i] > 0.4:
            held = x[i] ** 2
    return s + (x[1] if held is None else held)


def in_an_inner_loop(x):
    s = 0.0
    for k in range(3):
        best = None
        for v in x:
            c = (v - k) ** 2
            if best is None or c < best:
                best = c
        s += best * x[k]
    return s


def by_its_truth(x):
    last = None
    s = 0.0
    for v in x:
        if last and v > 0.0:
            s += last * v
        if not last:
            s += 2.0 * v
        last = v * v
    return s


def handed_on(x):
    now = before = None
    s = 0.0
    for v in x:
        before = now
        now = v * x[1]
        if before is not None:
            s += now * before
    return s


def without_a_loop(x):
    extra = None
    if x[0] > 0.7:
        extra = x * x[1]
    s = np.sum(x)
    if extra is not None:
        s += np.sum(extra * extra)
    return s


def in_a_nested_function(x):
    scale = None
    s = 0.0

    def scaled(v):
        return v if scale is None else v * scale

    for v in x:
        s += scaled(v)
        scale = v * v
    return s


def a_pair(x):
    best = None
    for i in range(len(x)):
        if best is None or x[i] > best[0]:
            best = (x[i], x * x[i])
    return best[0] * np.sum(best[1])


def bound_by_a_ternary(x):
    last = None
    for k in range(x.shape[0]):
        last = x[k] if k == 0 else last * x[k]
    return last


def momentum(x):
    velocity = None
    for _ in range(3):
        g = 2.0 * x + np.cos(x)
        if velocity is None:
            velocity = np.zeros_like(x)
        velocity = 0.9 * velocity - 0.1 * g
        x = x + velocity
    return np.sum(x * x)


PROGRAMS = [
    until_the_first_trip,
    bound_where_the_index_is_zero,
    read_where_the_index_is_not_zero,
    the_smallest,
    the_largest_and_where,
    the_best_array,
    until_converged,
    forgotten_now_and_then,
    in_an_inner_loop,
    by_its_truth,
    handed_on,
    without_a_loop,
    in_a_nested_function,
    a_pair,
    bound_by_a_ternary,
    momentum,
]


@pytest.mark.parametrize("lowered", [False, True])
@pytest.mark.parametrize("program", PROGRAMS)
def test_right(program, lowered):
    assert_right(program, X, lowered)


@pytest.mark.parametrize("jit", [False, True])
def test_none_is_not_read_as_a_number(jit):
    with pytest.raises(TypeError, match="`best` is None here"):
        s2sad.grad(the_smallest, jit=jit)(np.empty(0))


def test_none_or_not_bound():
    def f(x):
        for i in range(len(x)):
            best = None
            if x[i] > 1.0:
                best = x[i]
        return x[0] if best is None else best

    with pytest.raises(s2sad.S2sadError, match="begin with `best = None`") as refused:
        s2sad.grad(f)(X)
    assert refused.value.code == "S313"


def test_an_error_of_the_users_stays_what_it_is():
    def f(x):
        prev = None
        s = 0.0
        for v in x:
            if v > 0.0:
                s += v * prev
            prev = None
        return s

    with pytest.raises(s2sad.S2sadError, match="not with None") as refused:
        s2sad.grad(f)(X)
    assert refused.value.code == "S306"
