"""Activity: what varies and is useful, through branches, loops and overwritten buffers."""

from __future__ import annotations

import numpy as np

from s2sad.analysis.activity import activity
from s2sad.analysis.pullback import Pullbacks
from s2sad.frontend.build import build

X = np.array([0.3, -0.2, 0.7])


def active_names(f, args, active, results=None):
    fn = build(f, args)
    found = activity(fn, active, Pullbacks(), results)
    values = [v for i in fn.block.walk() for v in i.results] + list(fn.params)
    return {v.name for v in values if v in found and v.name}


def straight(x, c):
    a = x * c
    b = c * 2.0
    n = np.floor(a)
    d = np.sin(a)
    return np.sum(a * b * n), int(d[0])


def test_needs_both_halves():
    assert active_names(straight, (X, 2.0), (True, False)) == {"x", "a"}
    assert active_names(straight, (X, 2.0), (False, True)) == {"c", "a", "b"}


def overwritten(x):
    y = x * 2.0
    y[:] = 1.0
    s = np.sum(y)
    return s


def test_overwriting_ends_activity():
    fn = build(overwritten, (X,))
    found = activity(fn, (True,), Pullbacks())
    assert not any(r in found for i in fn.block.walk() for r in i.results)


def delayed(x, n):
    a = 0.0
    b = 0.0
    c = 0.0
    for _ in range(n):
        c = b
        b = a
        a = x
    return c


def test_activity_travels_round_the_loop():
    fn = build(delayed, (1.5, 4))
    loop = next(i for i in fn.block.instrs if i.op.name == "for")
    found = activity(fn, (True, False), Pullbacks())
    assert found.slots(loop) == list(range(len(loop.results)))


def branches(x, flag):
    y = 3.0
    if flag > 0.0:
        y = x * x
    return y


def test_one_branch_is_enough():
    assert "y" in active_names(branches, (0.5, 1.0), (True, False))
    assert active_names(branches, (0.5, 1.0), (False, True)) == set()


def pair(x, y):
    return x * 2.0, y * 3.0


def test_results_that_are_not_wanted():
    assert active_names(pair, (X, X), (True, True), (True, False)) == {"x"}
