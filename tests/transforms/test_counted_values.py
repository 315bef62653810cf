"""Ints that grow with the trips of inner loops, whose number follows from such ints."""

from __future__ import annotations

import numpy as np
import pytest
from property.verdicts import memory_poisoned
from right import assert_right
from written import written

PROGRAM = """
import numpy as np

def f(x):
    a, b, c = {start}
    s = 0.3
    w = np.zeros(60)
    for i in range(4):
        c += 1
        for t in range({first}):
            w[a] += x[0] * s
            s = np.sin(s + x[a % 3])
            a += 1
        for t in range({second}):
            w[b] += x[1] * s
            s = np.sin(s + x[b % 3])
            b += 1
        w[c] += s * x[1]
    return np.sum(w * w) + s
"""
TRIPS = (("a % 3 + 1", "2"), ("b % 3", "2"), ("2", "a % 3"), ("b % 3", "a % 2 + 1"), ("len(x[:b % 4])", "i"))


@pytest.mark.parametrize("lowered", [False, True])
@pytest.mark.parametrize("start", ["0, 0, 0", "1, 2, 3"])
@pytest.mark.parametrize(("first", "second"), TRIPS)
def test_trips_that_follow_from_what_they_count(first, second, start, lowered):
    name = f"<counted {first} {second} {start}>"
    f = written(PROGRAM.format(first=first, second=second, start=start), name, {"__name__": name})["f"]
    with memory_poisoned():
        assert_right(f, np.array([0.9, 1.02, 0.7]), lowered)


def a_list_counts(x):
    path, s = [], 0.3
    for k in range(4):
        s = s + x[len(path) % 3] * np.sin(x[k % 3]) * s
        path.append(s * s)
        if s > 1.0:
            break
    return sum(path) * path[-1]


def counted_and_left_with_work(x):
    n, s = 0, 0.3
    for k in range(3):
        s = s * np.cos(x[n] * x[k]) + x[n] * s
        n = k + 1
        if s > 0.6:
            s = s * x[0]
            break
    return s * n


def counted_after_the_way_out(x):
    n, s = 0, 0.3
    for k in range(3):
        if x[k] > 0.95 and k > 0:
            s = s * x[k] * x[n]
            break
        s = s * np.cos(x[n] * x[k]) + x[n] * s
        n = k + 1
    return s * (n + 1.5)


@pytest.mark.parametrize("lowered", [False, True])
@pytest.mark.parametrize("scale", [0.5, 1.0])
@pytest.mark.parametrize("f", [a_list_counts, counted_and_left_with_work, counted_after_the_way_out])
def test_programs_that_count_their_trips(f, scale, lowered):
    with memory_poisoned():
        assert_right(f, scale * np.array([0.9, 1.02, 0.7]), lowered)
