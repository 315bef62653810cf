"""vmap of random programs against a Python loop over the lanes: values, both modes, second order, and the
loop nests run as plain Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from oracle import copied, leaves
from property.programs import ACTIVE, generated
from property.verdicts import (
    arguments,
    compare,
    loaded,
    lowering_interpreted,
    memory_poisoned,
    tame,
    tangents,
)

import s2sad

PROGRAMS = 12
SHARDS = 2
LANES = 3
AXES = (0, 0, 1, 0, 0, None, 0)  # k is an int that the programs use as a count
SIZES = ((3, 2), (1, 4))
RAISED = (ValueError, IndexError, NameError, ZeroDivisionError)
REFUSED = 1  # of a shard: those whose results have a shape that is only known once they are there


def batched(lanes: list[tuple[Any, ...]]) -> list[Any]:
    """Return arguments, or tangents, of all lanes in one."""
    columns = zip(AXES, zip(*lanes, strict=True), strict=True)
    return [c[0] if axis is None or c[0] is None else np.stack(c, axis) for axis, c in columns]


def lane(args: list[Any], b: int) -> tuple[Any, ...]:
    """Return the arguments of one lane, views as in a loop."""
    return tuple(
        a if axis is None or a is None else (a[b] if axis == 0 else a[:, b])
        for axis, a in zip(AXES, args, strict=True)
    )


def stacked(results: list[Any]) -> list[Any]:
    """Return the leaves of the results of all lanes, stacked."""
    return [np.stack(column) for column in zip(*map(leaves, results), strict=True)]


def check(f: Callable[..., Any], number: int, size: tuple[int, int], jit: bool) -> None:
    """Compare what s2sad makes of vmap(f) with what it makes of f, lane by lane."""
    args = batched(
        [(*arguments(number + 1000 * b, *size)[:5], 2, *arguments(number, *size)[6:]) for b in range(LANES)]
    )
    dots = batched([tangents(b, lane(args, b)) for b in range(LANES)])
    dots[4] = np.linspace(-1.0, 1.0, LANES)  # tangents() knows floats, not NumPy's
    vmapped = s2sad.vmap(f, in_axes=AXES, jit=jit)  # and what is made of it
    given = copied(args)
    try:
        with np.errstate(all="ignore"):
            mine = copied(args)
            expected = stacked([f(*lane(mine, b)) for b in range(LANES)])
    except RAISED as error:
        with pytest.raises(type(error)):
            vmapped(*args)
        return
    if not tame(expected):
        return
    compare(leaves(vmapped(*args)), expected, 1e-12, "value")
    compare(args, mine, 1e-12, "written arguments")
    args = given
    value, value_dot = s2sad.jvp(vmapped, args, dots)
    pushed = [s2sad.jvp(f, lane(args, b), lane(dots, b))[1] for b in range(LANES)]
    compare(leaves(value), expected, 1e-12, "jvp value")
    compare(leaves(value_dot), stacked(pushed), 1e-10, "jvp")
    value, pullback = s2sad.vjp(vmapped, *args)
    bars = pullback(value)
    for b in range(LANES):
        y, pull = s2sad.vjp(f, *lane(args, b))
        compare([lane(list(bars), b)[k] for k in ACTIVE], [pull(y)[k] for k in ACTIVE], 1e-9, "vjp")
    if number % 3 == 1 and len(expected) == 1 and expected[0].ndim == 1:
        second_order(f, vmapped, args, dots)


def second_order(
    f: Callable[..., Any], vmapped: Callable[..., Any], args: list[Any], dots: list[Any]
) -> None:
    """Compare vmap(grad(f)) with gradients, and the Hessian of the sum with those of the lanes."""
    slope = s2sad.vmap(s2sad.grad(f, ACTIVE), in_axes=AXES)
    singles = [s2sad.grad(f, ACTIVE)(*lane(args, b)) for b in range(LANES)]
    compare(leaves(slope(*args)), stacked(singles), 1e-10, "vmap of grad")

    def total(x: Any, y: Any, w: Any, a: Any, c: Any, k: Any, idx: Any) -> Any:
        return np.sum(vmapped(x, y, w, a, c, k, idx))

    products = s2sad.hvp(total, args, dots)
    for b in range(LANES):
        alone = s2sad.hvp(f, lane(args, b), lane(dots, b))
        got = [p[:, b] if k == 2 else p[b] for k, p in zip(ACTIVE, products, strict=True)]
        compare(got, list(alone), 1e-8, "hvp")


@pytest.mark.parametrize("shard", range(SHARDS))
def test_vmap_is_a_loop_over_lanes(shard: int):
    refused = []
    seeds = range(shard, PROGRAMS, SHARDS)
    for number in seeds:
        f = loaded(generated(number).text, f"vmapped_{number}")
        f.__globals__["RATE"] = 0.83
        try:
            with memory_poisoned(), lowering_interpreted():
                for size in SIZES:
                    check(f, number, size, jit=number % 2 == 0)
        except s2sad.S2sadError as error:
            if error.code.startswith("S9"):
                raise
            refused.append(f"program {number}: {error}")
        except AssertionError as error:
            raise AssertionError(f"program {number}: {error}\n{generated(number).text}") from error
    assert len(refused) <= REFUSED, "\n".join(refused)
