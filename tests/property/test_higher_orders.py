"""Higher orders on random programs: jets against nested forward mode, complex steps and loop nests, and the
four ways to a product with the Hessian."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from oracle import assert_same, copied, leaves
from property.programs import ACTIVE, generated
from property.verdicts import Point, compare, loaded, lowering_interpreted, memory_poisoned, slopes, tangents

import s2sad
from s2sad.driver.pipeline import clean
from s2sad.driver.trace import Trace
from s2sad.frontend.build import build
from s2sad.ir import interp
from s2sad.transforms.jvp import jvp

PROGRAMS = 9
SHARDS = 3
ORDER = 4
RATE = 0.83  # the value of the programs' global

Curve = tuple[tuple[Any, ...] | None, ...]


def point(number: int) -> Point:
    """Return a program at a size."""
    text = generated(number).text
    f, truth = (loaded(text, f"jet_{number}", complex_numbers=flag) for flag in (False, True))
    for function in (f, truth):
        function.__globals__["RATE"] = RATE
    return Point(f, truth, number, ((3, 2), (2, 0), (1, 1))[number % 3])


def curve(seed: int, args: tuple[Any, ...]) -> Curve:
    """Return derivatives of all orders for what varies."""
    rows = [tangents(seed + 1000 * k, args) for k in range(ORDER)]
    return tuple(tuple(column) if k in ACTIVE else None for k, column in enumerate(zip(*rows, strict=True)))


def rows(series: Any) -> list[list[Any]]:
    """Return the derivatives of each order, leaf by leaf."""
    flat = [d for d in leaves(series) if d is not None]
    return [flat[k::ORDER] for k in range(ORDER)]


def check_nested(p: Point, series: Curve, found: list[list[Any]]) -> None:
    """Check a jet against jvp of jvp: each takes what it is the jvp of takes, and the derivatives of that."""
    fn = clean(build(p.f, p.args), Trace("f"))
    captured = len(fn.params) - len(p.args)
    values, active = [*p.args, *[RATE] * captured], (*(k in ACTIVE for k in range(7)), *[False] * captured)
    places = [(k, 0) for k in range(len(values))]
    for order, row in enumerate(found, 1):
        fn = clean(jvp(fn, active), Trace("f"))
        dots = [(k, n + 1) for (k, n), flag in zip(places, active, strict=True) if flag]
        active, places = (*active, *(True for _ in dots)), places + dots
        out = interp.run(fn, *(copied(values[k]) if n == 0 else series[k][n - 1] for k, n in places))
        compare(row, list(out[len(out) - len(row) :]), 1e-9, f"order {order}")


@pytest.mark.parametrize("shard", range(SHARDS))
def test_jets(shard: int):
    tried = 0
    for number in range(shard, PROGRAMS, SHARDS):
        with memory_poisoned(), np.errstate(all="ignore"):
            p = point(number)
            if p.raised or p.skip:
                continue
            series = curve(number, p.args)
            first = tuple(None if s is None else s[:1] for s in series)
            value, slope = s2sad.jet(p.f, p.args, first)
            p.check_value(value, "jet value", loose=False)
            dots = tuple(None if s is None else s[0] for s in series)
            compare(
                [d for d in leaves(slope) if d is not None],
                slopes(p.truth, copied(p.args), dots),
                1e-9,
                "order 1",
            )
            value, found = s2sad.jet(p.f, p.args, series)
            p.check_value(value, "jet value", loose=False)
            check_nested(p, series, rows(found))
            with lowering_interpreted():
                _, lowered = s2sad.jet(p.f, p.args, series, jit=True)
            compare(leaves(lowered), leaves(found), 1e-9, "lowered")
            assert_same(p.args, p.given, "arguments")
            tried += 1
    assert tried >= 2


def slopes_of(p: Point, dots: tuple[Any, ...]) -> list[Any]:
    """Return the derivative along dots by a complex step."""
    return slopes(p.truth, copied(p.args), dots)


def directional(f: Callable[..., Any], dots: tuple[Any, ...]) -> Callable[..., Any]:
    """Return the derivative of a function along dots."""

    def along(x, y, w, a, c, k, idx):
        return s2sad.jvp(f, (x, y, w, a, c, k, idx), dots)[1]

    return along


def against(f: Callable[..., Any], dots: tuple[Any, ...]) -> Callable[..., Any]:
    """Return the product of the gradient with dots."""

    def product(x, y, w, a, c, k, idx):
        bars = s2sad.grad(f, ACTIVE)(x, y, w, a, c, k, idx)
        total = 0.0
        for j in range(len(ACTIVE)):
            total += np.sum(bars[j] * dots[j])
        return total

    return product


def total_of(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a program's total as a function that writes nothing it is given."""

    def total(x, y, w, a, c, k, idx):
        out = f(x.copy(), y.copy(), w.copy(), a.copy(), c, k, idx.copy())
        return 1.0 * (out["total"] if isinstance(out, dict) else out[0] if isinstance(out, tuple) else out)

    return total


@pytest.mark.parametrize("number", range(5, 40, 10))
def test_four_nestings(number: int):
    with memory_poisoned(), np.errstate(all="ignore"):
        p = point(number)
        f, args, dots = total_of(p.f), p.args, p.dots
        wanted = list(s2sad.hvp(f, args, dots))
        ways = {
            "forward over reverse": s2sad.jvp(s2sad.grad(f, ACTIVE), args, dots)[1],
            "reverse over forward": s2sad.grad(directional(f, dots), ACTIVE)(*args),
            "reverse over reverse": s2sad.grad(against(f, dots), ACTIVE)(*args),
            "forward over forward": s2sad.jacfwd(directional(f, dots), ACTIVE)(*args),
        }
        for name, found in ways.items():
            compare(list(found), wanted, 1e-9, name)
        curve = tuple(None if d is None else (d, None) for d in dots)
        twice = sum(float(np.sum(h * dots[k])) for k, h in zip(ACTIVE, wanted, strict=True))
        compare([s2sad.jet(f, args, curve)[1][1]], [twice], 1e-9, "jet")
        _, products = s2sad.jet(s2sad.grad(f, ACTIVE), args, curve)
        compare([first for first, _ in products], wanted, 1e-9, "jet over reverse")
