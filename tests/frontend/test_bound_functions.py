"""Functions with arguments bound to them inside a program, and options that choose what a helper does."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from oracle import differences
from right import assert_right

import s2sad

X = np.array([0.8, 0.7, 1.1])


class Spring:
    def __init__(self, k):
        self.k = k

    def energy(self, u):
        return self.k * u * u


class Damped(Spring):
    def energy(self, u, rate=2.0):
        return super().energy(u) * np.sin(rate * u)


def slope_of_a_method(x):
    spring = Spring(x[0])
    return s2sad.grad(spring.energy)(x[1]) * x[2]


def tangent_of_a_method(x):
    return s2sad.jvp(Spring(x[0]).energy, (x[1],), (x[2],))[1]


def cotangent_of_a_method(x):
    return s2sad.vjp(Spring(x[0]).energy, x[1])[1](x[2])[0]


def curvature_of_an_inherited_method(x):
    spring = Damped(x[0])
    twice = s2sad.grad(s2sad.grad(spring.energy))(x[1]) + s2sad.hvp(spring.energy, (x[1],), (x[2],))
    return twice + s2sad.grad(spring.energy, argnums=1)(x[1], x[2])


def slope_of_a_partial(x):
    def product(a, b, c=1.0):
        return a * b * b * c * x[1]

    bound = functools.partial(product, x[0], c=x[2])
    return s2sad.grad(bound)(x[2]) + s2sad.grad(functools.partial(product, c=x[0]), argnums=1)(x[1], x[2])


def rate(y, a, b=1.0, *, c=2.0):
    return a * y + b + c * y * y


def partial_of_numbers(x):
    slope = functools.partial(rate, a=x[0], c=x[1])
    y = x[2]
    for _ in range(3):
        y = y + 0.1 * slope(y)
    return y + functools.partial(functools.partial(rate, y), b=x[0])(x[1], c=x[2])


def partial_of_a_library(x):
    return functools.partial(operator.mul, x[0])(x[1]) * functools.partial(np.sum, axis=0)(np.outer(x, x))[2]


PROGRAMS = [
    slope_of_a_method,
    tangent_of_a_method,
    cotangent_of_a_method,
    curvature_of_an_inherited_method,
    slope_of_a_partial,
    partial_of_numbers,
    partial_of_a_library,
]


@pytest.mark.parametrize("f", PROGRAMS)
def test_arguments_that_are_bound(f: Callable[..., Any]) -> None:
    for lowered in (False, True):
        assert_right(f, X, lowered)


def stepper(dt, order=2):
    def euler(y, f):
        return y + dt * f(y)

    def heun(y, f):
        return y + 0.5 * dt * (f(y) + f(y + dt * f(y)))

    return euler if order == 1 else heun


def pieces(y, order=2):
    if order == 1:
        return y
    return [y, y * y]


def by_default(x):
    step = stepper(0.1)
    return step(x[0], lambda y: x[1] * y) + sum(pieces(x[2]))


def test_a_default_chooses_what_is_read():
    for lowered in (False, True):
        assert_right(by_default, X, lowered)


def scaled(x, power=2):
    return np.sum(x**power)


def test_a_default_that_changes_is_read_again(monkeypatch: pytest.MonkeyPatch):
    gradient = s2sad.grad(lambda x: scaled(x))
    for power in (2, 3):
        monkeypatch.setattr(scaled, "__defaults__", (power,))
        np.testing.assert_allclose(gradient(X), power * X ** (power - 1))
        slope = differences(scaled, (X,), (np.ones(3),))
        np.testing.assert_allclose(np.sum(gradient(X)), slope[0])
