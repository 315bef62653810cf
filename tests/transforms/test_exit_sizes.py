"""Arrays that get another size on the way out of a loop: the cotangent at the head of the trip that was left
has the size that the array had there."""

from __future__ import annotations

import numpy as np
import pytest
from right import assert_right


def cut(x):
    v = x * x[1]
    s = 0.0
    for i in range(3):
        s += np.sum(v) * x[i]
        if x[i] < 0.4:
            v = v[:1] * s
            break
    return np.sum(v * v) + s


def lengthened(x):
    v = x * x[1]
    s = 0.0
    for i in range(3):
        s += np.sum(v) * x[i]
        if x[i] < 0.4:
            v = np.concatenate((v, x * s))
            break
    return np.sum(v * v) + s


def list_that_grows(x):
    made = []
    for i in range(3):
        made.append(x[i] * x[0])
    s = 0.0
    for i in range(3):
        s += made[0] * x[i]
        if x[i] < 0.4:
            made.append(s * x[0])
            break
    return sum([item * item for item in made]) + s


def two_ways_and_else(x):
    v = x * x[1]
    s = 0.0
    for i in range(3):
        s += np.sum(v) * x[i]
        if x[i] < 0.4:
            v = np.concatenate((v, x * s))
            break
        if x[i] > 1.5:
            v = v[:1] * s
            break
        v = v * x[i]
    else:
        v = v[1:] * s
    return np.sum(v * v) + s


def constant(x):
    v = x * x[1]
    s = 0.0
    for i in range(3):
        s += np.sum(v) * x[i]
        if x[i] < 0.4:
            v = np.ones(1)
            break
        v = v * x[i]
    return np.sum(v * v) + s


def endless(x):
    v = x * x[1]
    s = 0.0
    k = 0
    while True:
        s += np.sum(v) * x[k]
        if x[k] < 0.4 or k == 2:
            v = v[:k] * s
            break
        v = v * x[k]
        k += 1
    return np.sum(v * v) + s


def nested(x):
    v = x * x[1]
    s = 0.0
    for k in range(3):
        if x[k] < 0.4:
            v = v[1:] * x[0]
            break
        for j in range(3):
            s += np.sum(v) * x[j]
            if x[j] < 0.4:
                v = v[:2] * s
                break
            v = v * x[j]
    return np.sum(v * v) + s


def of_two_dimensions(x):
    v = np.outer(x, x)
    s = 0.0
    for i in range(3):
        s += np.sum(v) * x[i]
        if x[i] < 0.4:
            v = v[:, i:] * s
            break
        v = v * x[i]
    return np.sum(v * v) + s


def unused_behind(x):
    v = x * x[1]
    s = 0.0
    for i in range(3):
        s += np.sum(v) * x[i]
        if x[i] < 0.4:
            v = v[:1] * s
            s += v[0]
            break
        v = v * s
    return s


def taped_behind_the_exit(x):
    v = x * x[1]
    s = 0.0
    for i in range(3):
        v = v * x[i]
        if x[i] < 0.4:
            break
        part = v[int(i > 5) :]
        s += np.sum(part * part * v[0])
        v = np.sin(part * v)
    return np.sum(v * v) + s


def taped_in_a_branch_before_the_exit(x):
    v = x * x[1]
    s = 0.0
    for i in range(3):
        if x[i] < 0.75:
            part = v[int(i > 5) :] * x[i]
            s += np.sum(part * part * v[0])
            if x[i] < 0.4:
                s *= part[0]
                break
            v = np.sin(part * v)
        other = v[int(i > 1) :]
        s += np.sum(other * other * x[0])
    return np.sum(v * v) + s


PROGRAMS = [
    taped_behind_the_exit, taped_in_a_branch_before_the_exit,
    cut, lengthened, list_that_grows, two_ways_and_else, constant, endless, nested, of_two_dimensions,
    unused_behind,
]  # fmt: skip
POINTS = [
    (0.9, 0.3, 0.7),
    (0.9, 0.8, 0.7),
    (0.3, 0.6, 0.7),
    (0.9, 0.6, 0.2),
    (0.9, 1.6, 0.2),
    (1.9, 1.6, 0.2),
]


@pytest.mark.parametrize("lowered", [False, True], ids=["emitted", "lowered"])
@pytest.mark.parametrize("point", POINTS, ids=str)
@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_right_wherever_it_is_left(f, point, lowered: bool):
    assert_right(f, np.array(point), lowered)
