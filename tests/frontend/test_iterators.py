"""Iterators give their items once, when asked for them, and know the names where they are written."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from right import assert_right

import s2sad

X = np.array([0.3, 0.7, 1.1])


def total(items):
    k = 100.0
    s = 0.0 * k
    for v in items:
        s += v**2
    return s


def of_a_helper(x):
    k = 2.0
    listed = given(v * k for v in x)
    return total(v * k for v in x) + total(map(lambda v: v * k, [x[0], x[1]])) + np.prod(listed)


def given(items):
    return list(items)


def in_each_trip(x):
    s = 0.0
    for i in range(2):
        pairs = zip(x, x[::-1], strict=True)
        for a, b in pairs:
            s += a**2 * b * i
    return s


def nested(x):
    s = 1.0
    for i, (a, b) in enumerate(zip(map(np.sin, x), reversed(x), strict=True)):
        s = s * a + b**2 * i
    return s


def unpacked(x):
    a, b, c = map(lambda v: v**2, x)
    named = dict(zip(map(str, range(3)), x, strict=True))
    if "".join(map(str, (1, 2))) != "12" or len(set(map(len, ["a", "b"]))) > 1:
        raise ValueError("-".join(map(str, x.shape)))
    return a * b + c * named["1"] + max(map(abs, x)) + sum([*map(np.cos, x)])


def late(x):
    y = x.copy()
    scaled = map(lambda v: v * y[0], [x[0], x[1]])
    y[0] = x[2] ** 2
    return sum(scaled)


def over_a_generator(x):
    s = 0.0
    for v in (w**2 for w in x if w > 0.4):
        s += v * x[0]
    for v in iter(x):
        s += v**3
    return s


def pairs_of(x):
    s = 0.0
    for i, j in itertools.combinations(range(x.shape[0]), 2):
        if i == 1:
            continue
        s += x[i] * x[j] ** 2
    for a, b in itertools.product([x[0], x[1]], repeat=2):
        s += a * b
    for a, b in itertools.pairwise((x[0], x[1], x[2])):
        s += a**2 * b
    return s + sum(a * b for a, b in itertools.permutations((x[1], x[2]), 2))


def in_a_row(x):
    s = sum(itertools.chain([x[0]], (x[1] ** 2, x[2]))) * x[0]
    s += sum(itertools.chain.from_iterable([[x[0] ** 3], (x[1],)]))
    for k, v in enumerate(itertools.accumulate([x[0], x[1], x[2]], lambda a, b: a * b, initial=2.0)):
        s += k * v
    s += sum(v**2 for v in itertools.accumulate([x[0], x[1]]))
    for a, b in itertools.zip_longest([x[0], x[1]], [x[2]], fillvalue=3.0):
        s += a * b
    first, *_ = itertools.islice([x[0], x[1], x[2]], 1, None)
    return s * first + sum(itertools.starmap(lambda a, b: a * b, [(x[0], x[1]), (x[1], x[2])]))


def test_itertools_of_a_length_that_is_not_known() -> None:
    def f(x):
        return sum(a * b for a, b in itertools.product(x[x > 0.5], repeat=2))

    with pytest.raises(
        s2sad.S2sadError, match=r"itertools\.product needs iterables of a length that is known"
    ):
        s2sad.grad(f)(X)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: sum(itertools.islice([x, x], -1)),
        lambda x: sum(a for a, *_ in itertools.combinations([x, x], -1)),
        lambda x: sum(a for a, *_ in itertools.product([x, x], repeat=-1)),
    ],
)
def test_itertools_with_negative_numbers(f: Callable[..., Any]) -> None:
    with pytest.raises(s2sad.S2sadError, match="S319 ValueError"):
        s2sad.grad(f)(1.0)


def test_itertools_with_wrong_arguments() -> None:
    with pytest.raises(s2sad.S2sadError, match=r"S319 TypeError: combinations\(\): missing .*'r'"):
        s2sad.grad(lambda x: sum(a * b for a, b in itertools.combinations([x, x])))(1.0)


@pytest.mark.parametrize(
    "f", [pairs_of, in_a_row, of_a_helper, in_each_trip, nested, unpacked, late, over_a_generator]
)
def test_iterators(f: Callable[..., Any]) -> None:
    for lowered in (False, True):
        assert_right(f, X, lowered)


def twice(x):
    pairs = zip(x, x, strict=True)
    return sum(a * b for a, b in pairs) + sum(a + b for a, b in pairs)


def twice_a_map(x):
    doubled = map(lambda v: v * 2.0, [x[0], x[1]])
    return sum(doubled) + sum(doubled) * 3.0


def in_every_trip(x):
    squares = (v**2 for v in x)
    s = 0.0
    for _ in range(2):
        s += sum(squares)
    return s


def after_a_break(x):
    items = itertools.chain([x[0]], [x[1], x[2]])
    s = 0.0
    for v in items:
        s += v
        break
    for v in items:
        s += v * 7.0
    return s


@pytest.mark.parametrize("f", [twice, twice_a_map, in_every_trip, after_a_break])
def test_used_up(f: Callable[..., Any]) -> None:
    with pytest.raises(s2sad.S2sadError, match="is an iterator that was read before"):
        s2sad.grad(f)(X)


def squares_of(x):
    return (v**2 for v in x)


def test_generator_from_elsewhere() -> None:
    with pytest.raises(s2sad.S2sadError, match="outside the function in which it is written"):
        s2sad.grad(lambda x: sum(squares_of(x)))(X)
