"""The package's dataclass compares, hashes and prints as that of the standard library."""

import dataclasses
from dataclasses import field

import pytest

from s2sad.record import dataclass, replace


def classes(decorator):
    @decorator(frozen=True, slots=True)
    class Point:
        x: float
        y: float = 2.0
        note: str = field(default="", compare=False)

    @decorator(frozen=True, slots=True)
    class One:
        x: object

    @decorator(frozen=True, slots=True)
    class Empty:
        pass

    @decorator(slots=True)
    class Counter:
        count: int = 0
        seen: list = field(default_factory=list, repr=False)

    @decorator(frozen=True, slots=True, eq=False)
    class Node:
        x: int

    @decorator(frozen=True, slots=True)
    class Own:
        x: int

        def __eq__(self, other):
            return True

        def __hash__(self):
            return 7

        def __repr__(self):
            return "own"

    @decorator(frozen=True, slots=True)
    class Inherits(One):
        more: int = 3

    return Point, One, Empty, Counter, Node, Own, Inherits


def behaviour(decorator, replace):
    """What can be seen of the classes: whether each two of their instances are equal, hashes, texts, a copy.
    (Not numbers that are not equal to themselves, which Python 3.13 compares otherwise.)"""
    Point, One, Empty, Counter, Node, Own, Inherits = classes(decorator)
    made = [
        Point(1.0), Point(1.0, 2.0, "b"), Point(2.0, note="c"), One(1), One(1.0), Empty(),
        Empty(), Counter(), Counter(0, []), Counter(1, [2]), Node(1), Node(1), Own(1), Own(2), Inherits(1),
    ]  # fmt: skip
    hashable = [getattr(type(m), "__hash__", None) is not None for m in made]
    alike = [
        [hash(a) == hash(b) for b, ok in zip(made, hashable, strict=True) if ok]
        for a, ok in zip(made, hashable, strict=True)
        if ok
    ]
    texts = [repr(m).split(".<locals>.")[-1] for m in made]
    changed = replace(made[0], y=5.0)
    return [[a == b for b in made] for a in made], hashable, alike, texts, changed.y, Point.__match_args__


def test_as_in_the_standard_library():
    assert behaviour(dataclass, replace) == behaviour(dataclasses.dataclass, dataclasses.replace)


def test_what_is_not_frozen_has_no_hash():
    Counter = classes(dataclass)[3]
    with pytest.raises(TypeError):
        hash(Counter())
