"""Operators of objects are what the methods of their classes say, not what holds of their fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
from right import assert_right

import s2sad

X = np.array([0.3, 0.7, 1.1, 0.5])


class Vector:
    def __init__(self, a, b):
        self.a = a
        self.b = b

    def __add__(self, other):
        if not isinstance(other, Vector):
            return NotImplemented
        return Vector(self.a + other.a, self.b + other.b)

    def __radd__(self, other):
        return Vector(self.a + 2.0 * other, self.b)

    def __mul__(self, k):
        return Vector(self.a * k, self.b * k)

    def __rmul__(self, k):
        return self * k

    def __matmul__(self, other):
        return self.a * other.a + self.b * other.b

    def __neg__(self):
        return Vector(-self.a, -self.b)

    def __iadd__(self, other):
        self.a = self.a + 5.0 * other.a
        return self

    def __len__(self):
        return 7

    def __getitem__(self, i):
        return (self.b, self.a)[i]

    def __setitem__(self, i, v):
        self.a = v * 2.0

    def __iter__(self):
        return iter((self.b, self.a))

    def __eq__(self, other):
        return self.a == other.a

    def __lt__(self, other):
        return self.a < other.a

    def __contains__(self, v):
        return v == self.b

    __hash__ = None


class Flag:
    def __init__(self, a):
        self.a = a

    def __bool__(self):
        return bool(self.a > 1.0)


@dataclass
class Point:
    a: float

    def __sub__(self, other):
        return Point(self.a - other.a**2)


class Pair(NamedTuple):
    a: float
    b: float

    def __mul__(self, k):
        return Pair(self.a * k, self.b * k * k)


class Body:
    scale = 2.0

    def __init__(self, k):
        super().__init__()
        self.k = k

    def value(self):
        return self.k * self.scale

    @property
    def twice(self):
        return self.k * 2.0

    @staticmethod
    def square(v):
        return v * v


class Middle(Body):
    def value(self):
        return super().value() ** 2


class Heavy(Middle):
    scale = 3.0

    def __init__(self, k, m):
        super().__init__(k)
        self.m = m

    def value(self):
        return super().value() * self.m + super().twice * super().square(self.k)


def sums(x):
    v = Vector(x[0], x[1]) + 2.0 * Vector(x[2], x[3]) * x[0]
    w = -(0.25 + v)
    w += v
    return v @ w + sum([v, w], Vector(0.0, x[1])).a


def items(x):
    v = Vector(x[0] * x[1], x[2])
    v[0] = x[3]
    total = v[0] * v[1] * len(v)
    for u in v:
        total = total * x[0] + u
    a, b = v
    return total + a * b**2 + list(v)[1] ** 3


def comparisons(x):
    v, w = Vector(x[0], x[1]), Vector(x[0], x[2])
    total = x[0] ** 2 if v == w else x[1]
    total = total * x[1] if v != w else total * x[2]
    total += x[3] ** 3 if v < Vector(x[1], x[1]) and v > Vector(x[0] - 1.0, x[1]) else x[0]
    total *= x[1] ** 2 if x[1] in v else x[0]
    return total * (x[2] if Flag(x[0]) or not Flag(x[2]) else x[3])


def identity(x):
    flag = Flag(x[0])
    return x[0] ** 2 if flag == Flag(x[0]) else x[1] ** 2 * (flag == flag)


def of_dataclasses(x):
    p = Point(x[0]) - Point(x[1])
    p -= Point(x[2])
    q = Pair(x[0], x[1]) * x[2]
    return p.a * q.b + q.a * (Point(1.0) == Point(1.0)) + len(q) * sum(q)


def inherited(x):
    return Heavy(x[0], x[1]).value() * Middle(x[2]).value()


@pytest.mark.parametrize("f", [sums, items, comparisons, identity, of_dataclasses, inherited])
def test_methods_of_classes(f: Callable[..., Any]) -> None:
    for lowered in (False, True):
        assert_right(f, X, lowered)


OUTSIDE = Vector(2.0, 1.5)
FLAG = Flag(2.0)


def from_outside(x):
    v = OUTSIDE + Vector(x[0], x[1])
    w = v.a * (2.0 * OUTSIDE).b + (OUTSIDE + OUTSIDE).a * x[1] + sum(OUTSIDE) * x[2] ** 2
    for u in OUTSIDE:
        w += u * x[0] + OUTSIDE[0] * (-OUTSIDE).a * x[3]
    return w * x[0] if FLAG and Vector(x[0], 1.0) < OUTSIDE else w * x[1]


def test_objects_from_outside() -> None:
    gradient = s2sad.value_and_grad(from_outside)
    for a in (2.0, 0.25):
        OUTSIDE.a = FLAG.a = a
        slope = [(from_outside(X + 1e-6 * e) - from_outside(X - 1e-6 * e)) / 2e-6 for e in np.eye(4)]
        value, bar = gradient(X)
        assert value == pytest.approx(from_outside(X), rel=1e-14)
        np.testing.assert_allclose(bar, slope, rtol=1e-6)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: len(Point(x[0])) * x[0],
        lambda x: Point(x[0])[0],
        lambda x: sum(Point(x[0])),
        lambda x: (Point(x[0]) + Point(x[1])).a,
        lambda x: x[0] * (x[1] in Point(x[1])),
        lambda x: (x * Vector(1.0, x[1])).a,
        lambda x: (x[0] * Vector(1.0, x[1])).a,
    ],
)
def test_no_such_method(f: Callable[..., Any]) -> None:
    with pytest.raises(s2sad.S2sadError, match=r"a Point|a Vector"):
        s2sad.grad(f)(X)


class Linear:
    """A captured object, of a class with classes before it."""

    def __init__(self, k):
        self.k = k

    def of(self, x):
        return self.k * x

    @property
    def doubled(self):
        return 2.0 * self.k


class Quadratic(Linear):
    def of(self, x):
        return super().of(x) * super().doubled * x


class Shifted(Quadratic):
    def of(self, x):
        return super(Shifted, self).of(x) + x  # noqa: UP008 - as it was written before Python 3


@pytest.mark.parametrize("jit", [False, True])
def test_super_of_captured_objects(jit):
    held = Shifted(3.0)
    slope = s2sad.grad(lambda x: held.of(x), jit=jit)
    assert slope(2.0) == 2.0 * 2.0 * 9.0 * 2.0 + 1.0
    held.k = 5.0
    assert slope(2.0) == 2.0 * 2.0 * 25.0 * 2.0 + 1.0


class Net:
    """Methods under decorators of ours."""

    def __init__(self, k):
        self.k = k

    @s2sad.checkpoint
    def layer(self, w, x):
        return np.tanh(self.k * w * x)

    @s2sad.jit
    def two(self, x):
        return self.k * x * x

    def both(self, x):
        return self.layer(x, x) + self.two(x)


def made_here(x):
    return Net(x).both(x)


def test_decorated_methods():
    net = Net(2.0)
    slope = 4.0 * 1.5 / np.cosh(2.0 * 1.5**2) ** 2 + 4.0 * 1.5
    for f in (net.both, lambda x: net.both(x)):
        np.testing.assert_allclose(s2sad.grad(f)(1.5), slope)
    np.testing.assert_allclose(s2sad.grad(made_here)(1.5), 3 * 1.5**2 * (1 / np.cosh(1.5**3) ** 2 + 1.0))
    np.testing.assert_allclose(s2sad.grad(net.layer)(1.0, 2.0), 4.0 / np.cosh(4.0) ** 2)
    assert s2sad.grad(net.two)(1.5) == 6.0
