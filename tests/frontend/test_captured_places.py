"""Values around functions, read from where each of them is: places that have one name are told apart, and
each is read again at each call."""

from __future__ import annotations

import functools
import itertools
import random
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad

Place = tuple[Callable[..., Any], Callable[[Any], None]]  # x -> c * x, and what sets another c


class Box:
    """An object with a number in it, and methods that read it."""

    def __init__(self, c: Any) -> None:
        self.c = c

    def __call__(self, x: Any) -> Any:
        return x * self.c

    def scaled(self, x: Any) -> Any:
        return x * self.c


def cell(c: Any) -> Place:
    def inner(x: Any) -> Any:
        return x * c

    def put(value: Any) -> None:
        nonlocal c
        c = value

    return inner, put


def nested(c: Any) -> Place:
    inner, put = cell(c)

    def outer(x: Any) -> Any:
        return inner(x) * 1.0

    return outer, put


def long(c: Any) -> Place:
    """One that is worth a call of its own, as it is called more than once."""

    def inner(x: Any) -> Any:
        total = 0.0 * x
        for k in range(2):
            total = total + x * c * 0.5
            total = total + k * 0.0
        again = total * 1.0
        return again + 0.0 * c

    def put(value: Any) -> None:
        nonlocal c
        c = value

    box = types.SimpleNamespace(inner=inner)
    return lambda x: box.inner(x) * 0.5 + box.inner(x) * 0.5, put


def module_global(c: Any) -> Place:
    scope: dict[str, Any] = {"c": c}
    inner = types.FunctionType(_reads_a_global.__code__, scope, "inner")
    return inner, lambda value: scope.update(c=value)


def _reads_a_global(x: Any) -> Any:
    return x * c


def default(c: Any) -> Place:
    def inner(x: Any, c: Any = c) -> Any:
        return x * c

    return inner, lambda value: setattr(inner, "__defaults__", (value,))


def nameless(c: Any) -> Place:
    inner = lambda x, c=c: x * c  # noqa: E731
    return inner, lambda value: setattr(inner, "__defaults__", (value,))


def keyword(c: Any) -> Place:
    def inner(x: Any, *, c: Any = c) -> Any:
        return x * c

    return inner, lambda value: setattr(inner, "__kwdefaults__", {"c": value})


def attribute(c: Any) -> Place:
    box = Box(c)
    return lambda x: x * box.c, lambda value: setattr(box, "c", value)


def method(c: Any) -> Place:
    box = Box(c)
    return box.scaled, lambda value: setattr(box, "c", value)


def called(c: Any) -> Place:
    box = Box(c)
    return box, lambda value: setattr(box, "c", value)


def item(c: Any) -> Place:
    table = {"c": c}
    return lambda x: x * table["c"], lambda value: table.update(c=value)


def of_list(c: Any) -> Place:
    table = [c, (c, c)]

    def put(value: Any) -> None:
        table[:] = [value, (value, value)]

    return lambda x: x * (0.5 * table[0] + 0.5 * table[1][1]), put


def partial(c: Any) -> Place:
    box = Box(c)
    inner = functools.partial(lambda held, x: x * held.c, box)
    return inner, lambda value: setattr(box, "c", value)


def ruled(c: Any) -> Place:
    inner, put = cell(c)
    with_rule = s2sad.custom_jvp(inner)
    with_rule.defjvp(lambda primals, tangents: (inner(primals[0]), inner(tangents[0])))
    return with_rule, put


def transformed(c: Any) -> Place:
    inner, put = cell(c)
    return s2sad.jit(lambda x: inner(x)), put


PLACES = [
    cell, nested, long, module_global, default, nameless, keyword, attribute, method, called, item, of_list,
    partial, ruled, transformed,
]  # fmt: skip


def check(places: list[Place], values: list[Any], jit: bool) -> None:
    """Check value and derivatives of a sum over all places, before and after each has another value."""
    functions = [f for f, _ in places]

    def total(x: Any) -> Any:
        found = 0.0
        for f in functions:
            found = found + f(x)
        return np.sum(found * x)

    gradient = s2sad.value_and_grad(total, jit=jit)
    x = np.array([0.5, -1.5])
    for changed in (None, *range(len(places))):
        if changed is not None:
            values[changed] = values[changed] * 1.5 + 0.25
            places[changed][1](values[changed])
        c = sum(values)
        y, slope = gradient(x)
        assert y == pytest.approx(np.sum(c * x * x), rel=1e-13)
        np.testing.assert_allclose(slope, 2.0 * c * x, rtol=1e-13)
        if not jit:
            _, tangent = s2sad.jvp(total, (x,), (np.ones(2),))
            assert tangent == pytest.approx(np.sum(2.0 * c * x), rel=1e-13)


@pytest.mark.parametrize("jit", [False, True], ids=["numpy", "jit"])
@pytest.mark.parametrize("place", PLACES)
def test_two_places_of_one_name(place: Callable[[Any], Place], jit: bool):
    check([place(2.0), place(3.0)], [2.0, 3.0], jit)


@pytest.mark.parametrize("place", PLACES)
def test_arrays(place: Callable[[Any], Place]):
    values = [np.array([2.0, 1.0]), np.array([-3.0, 0.5])]
    check([place(v) for v in values], list(values), jit=False)


@pytest.mark.parametrize("seed", range(8))
def test_many_places(seed: int):
    chance = random.Random(seed)
    chosen = chance.sample(list(itertools.chain(PLACES, PLACES)), 9)
    values = [round(chance.uniform(-2.0, 2.0), 2) for _ in chosen]
    check([place(v) for place, v in zip(chosen, values, strict=True)], values, jit=seed % 4 == 0)


def chosen(flag: bool, name: str) -> tuple[Callable[[Any], Any], Callable[[bool], None]]:
    def inner(x: Any) -> Any:
        return (x * 2.0 if flag else x * 3.0) + (x if name == "one" else 0.0 * x)

    def put(value: bool) -> None:
        nonlocal flag
        flag = value

    return inner, put


def test_flags_of_one_name():
    (first, put), (second, put_too), (third, _) = (
        chosen(True, "one"),
        chosen(False, "one"),
        chosen(True, "two"),
    )
    gradient = s2sad.grad(lambda x: first(x) + second(x) + third(x))
    assert gradient(1.0) == 3.0 + 4.0 + 2.0
    put_too(True)
    assert gradient(1.0) == 3.0 + 3.0 + 2.0
    put(False)
    assert gradient(1.0) == 4.0 + 3.0 + 2.0
    put_too(False)
    assert gradient(1.0) == 4.0 + 4.0 + 2.0


def test_functions_that_call_the_next_of_their_kind():
    def step(c: float, after: Any) -> Any:
        def inner(x: Any) -> Any:
            return c * x + (x * after(x) if after is not None else 0.0)

        return inner

    chain = step(5.0, step(3.0, step(2.0, None)))
    s2sad.check_grads(chain, (1.3,), order=2)
    assert s2sad.grad(chain)(1.3) == pytest.approx(5.0 + 2 * 3.0 * 1.3 + 3 * 2.0 * 1.3**2)


def test_nested_functions_of_one_text():
    def f(x):
        def made(c):
            def inner(y):
                return y * c

            return inner

        two, by_x = made(2.0), made(x)
        return two(x) + by_x(x) + two(by_x(x))

    assert s2sad.grad(f)(1.3) == pytest.approx(2.0 + 2.6 + 5.2)
