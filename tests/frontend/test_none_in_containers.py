"""Attributes and items of dicts that are None until a loop or a branch sets them."""

from __future__ import annotations

import numpy as np
import pytest
from right import assert_right

import s2sad

X = np.array([0.3, 0.5, 0.7])


class Momentum:
    def __init__(self, rate=0.1):
        self.rate = rate
        self.m = None
        self.trips = 0

    def step(self, w, g):
        if self.m is None:
            self.m = np.zeros_like(w)
        self.trips += 1
        self.m = 0.9 * self.m + 0.1 * g
        return w - self.rate * self.m / (1 - 0.9**self.trips)


def array_made_when_first_needed(x):
    rule = Momentum()
    w = x
    for _ in range(4):
        w = rule.step(w, 2 * (w - x[::-1]) + 0.1 * w**3)
    return np.sum((w - x[::-1]) ** 2)


class Controller:
    def __init__(self):
        self.before = None
        self.total = 0.0

    def __call__(self, e):
        slope = e - self.before if self.before is not None else 0.0
        self.before = e
        self.total += e
        return 2 * e + 0.1 * self.total + 0.5 * slope


def number_of_the_last_trip(x):
    control = Controller()
    y = x[0]
    for _ in range(5):
        y = y + 0.1 * control(x[1] - y)
    return y * y * x[2]


class Plant:
    def __init__(self):
        self.control = Controller()
        self.highest = None
        self.seen = []

    def go(self, e):
        if self.highest is None or e > self.highest:
            self.highest = e
        self.seen.append(self.highest)
        r = e if self.control.before is None else self.control.before * e
        return r + self.control(e)


def object_in_an_object(x):
    plant = Plant()
    y = 0.0
    for v in x:
        y = y + plant.go(v) * v
    return y + plant.highest + plant.seen[-1] * plant.seen[0]


def item_of_a_dict(x):
    state = {"acc": None, "n": 0}
    for v in x:
        state["acc"] = x * v if state["acc"] is None else state["acc"] + x * v
        state["n"] += 1
    return np.sum(state["acc"] ** 2) / state["n"]


def item_whose_truth_is_asked(x):
    state = {"best": None}
    for v in x:
        if not state["best"] or v * v < state["best"]:
            state["best"] = v * v
    return state["best"] if state["best"] is not None else 0.0


def set_on_one_path(x):
    control = Controller()
    if x[0] > 0:
        control.before = x[1]
    return control(x[2]) ** 2


def while_it_is_small(x):
    control, i = Controller(), 0
    while i < 3 and (control.before is None or control.before < 5):
        control.before = x[i] if control.before is None else control.before * x[i]
        i += 1
    return control.before * i


PROGRAMS = [
    array_made_when_first_needed,
    number_of_the_last_trip,
    object_in_an_object,
    item_of_a_dict,
    item_whose_truth_is_asked,
    set_on_one_path,
    while_it_is_small,
]


@pytest.mark.parametrize("lowered", [False, True])
@pytest.mark.parametrize("program", PROGRAMS)
def test_right(program, lowered):
    assert_right(program, X, lowered)


def set_by_some_trips(x):
    control = Controller()
    for v in x:
        if v > 10.0:
            control.before = v
    return control.before * x[0]


@pytest.mark.parametrize("jit", [False, True])
def test_none_is_not_read_as_a_number(jit):
    with pytest.raises(TypeError, match="`before` is None here"):
        s2sad.grad(set_by_some_trips, jit=jit)(X)
    np.testing.assert_allclose(s2sad.grad(set_by_some_trips, jit=jit)(40.0 * X), [28.0, 0.0, 12.0])


def test_an_attribute_that_changes_its_kind_is_named():
    def f(x):
        control = Controller()
        for v in x:
            control.before = {"late": v}
            if v > 0.4:
                control.before = v
        return control.before

    with pytest.raises(s2sad.S2sadError, match="S313 `before` "):
        s2sad.grad(f)(X)
