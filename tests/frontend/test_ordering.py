"""Sorting, and what else is found when a program is read: items of ranges, classes, namedtuples."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from right import assert_right

import s2sad

X = np.array([0.3, 0.7, 1.1])
State = namedtuple("State", "pos vel")


@dataclass
class Model:
    k: float
    m: float = 2.0

    def again(self, k):
        return self.__class__(k * self.k)

    def other(self, k):
        return type(self)(k * self.m)


def backwards(x):
    total = 0.0
    for n in sorted([2, 0, 1], reverse=True):
        total = total * x[0] + x[n]
    return total


def by_a_key(x):
    total = 0.0
    for n in sorted((2, 0, 1), key=lambda v: (v - 1) ** 2, reverse=True):
        total = total * x[0] + x[n]
    names = ["ccc", "b", "aa"]
    names.sort()
    names.sort(key=len, reverse=True)
    return total * x[1 if names.copy().pop() == "b" else 2]


def of_items(x):
    parameters = {"b": x[0], "a": x[1] * x[2]}
    total = 0.0
    for name in sorted(parameters):
        total = total * x[2] + parameters[name]
    for _, v in sorted(parameters.items()):
        total = total * x[0] + v
    return total


def ends_of_ranges(x):
    total = [3.0, 5.0, 7.0][range(3)[-1]] * x[0]
    for i in range(3):
        total += x[range(x.size)[-i]] * x[range(x.size - 1, -1, -1)[i]] ** 2
    return total


def objects(x):
    model = Model(x[0])
    other = replace(model, k=x[1] * model.k)
    return model.again(x[2]).other(x[1]).k * other.k * getattr(model, "bias", x[2]) * getattr(model, "m", 1.0)


def namedtuples(x):
    state = State(x[0], x[1])
    for _ in range(3):
        state = state._replace(vel=state.vel * x[2])
        state = State._make([state.pos + state.vel**2, state.vel])
    return state.pos * sum(state._asdict().values())


@pytest.mark.parametrize("f", [backwards, by_a_key, of_items, ends_of_ranges, objects, namedtuples])
def test_found_when_read(f: Callable[..., Any]) -> None:
    for lowered in (False, True):
        assert_right(f, X, lowered)


def test_no_item_of_a_range() -> None:
    with pytest.raises(IndexError, match="range object index out of range"):
        s2sad.grad(lambda x: x[range(x.size - 2)[1]])(X)
