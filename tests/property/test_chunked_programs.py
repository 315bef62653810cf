"""Jacobians of random programs along many seeds at once against one seed after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracle import leaves
from property.programs import ACTIVE, generated
from property.verdicts import arguments, compare, loaded, lowering_interpreted, memory_poisoned, tame

import s2sad

PROGRAMS = 6
SHARDS = 2
SIZES = ((3, 2), (1, 3))


@pytest.mark.parametrize("shard", range(SHARDS))
def test_many_seeds_are_as_one_after_the_other(shard: int):
    for number in range(shard, PROGRAMS, SHARDS):
        text = generated(number).text
        f = loaded(text, f"chunked_{number}")
        f.__globals__["RATE"] = 0.83
        try:
            with memory_poisoned(), lowering_interpreted():
                check(f, number)
        except AssertionError as error:
            raise AssertionError(f"program {number}: {error}\n{text}") from error


def check(f: Any, number: int) -> None:
    """Compare Jacobians by both modes, lowered too, and the Hessian of a number."""
    whole = {
        (transform, jit): (transform(f, ACTIVE, jit=jit), transform(f, ACTIVE, chunk_size=size, jit=jit))
        for transform, jit, size in (
            (s2sad.jacfwd, False, 2),
            (s2sad.jacrev, False, 2),
            (s2sad.jacfwd, True, 3),
            (s2sad.jacrev, True, 3),
        )
    }
    single = s2sad.jacfwd(f, ACTIVE, chunk_size=1)
    for size in SIZES:
        args = arguments(number, *size)
        try:
            with np.errstate(all="ignore"):
                value = f(*[a.copy() if isinstance(a, np.ndarray) else a for a in args])
        except (ValueError, IndexError, NameError, ZeroDivisionError):
            continue
        if not tame(leaves(value)):
            continue
        expected = leaves(single(*args))
        if not tame([e for e in expected if e is not None]):
            continue
        for (transform, jit), (all_at_once, few) in whole.items():
            what = f"{transform.__name__}, jit={jit}, {size}"
            compare_leaves(all_at_once(*args), expected, what)
            compare_leaves(few(*args), expected, f"{what}, chunks")
        made = whole[s2sad.jacfwd, False][0].chunks.made
        assert None not in made.values(), "no axis for seeds"
        if number % 2:
            compare_leaves(inside(f, args), expected, "inside a program")
        if isinstance(value, float | np.generic) and number % 3 == 0:
            second = leaves(s2sad.hessian(f, ACTIVE, chunk_size=1)(*args))
            compare_leaves(s2sad.hessian(f, ACTIVE)(*args), second, "hessian")


def inside(f: Any, args: tuple[Any, ...]) -> Any:
    """Return the Jacobian that a program computes, which is differentiated once more."""

    def program(x: Any, y: Any, w: Any, a: Any, c: Any, k: Any, idx: Any) -> Any:
        return s2sad.jacfwd(f, ACTIVE)(x, y, w, a, c, k, idx)

    dots = tuple(np.ones_like(arg) if i == 0 else None for i, arg in enumerate(args))
    return s2sad.jvp(program, args, dots)[0]


def compare_leaves(got: Any, expected: list[Any], what: str) -> None:
    """Raise unless all leaves agree, in kind too."""
    found = leaves(got)
    assert [type(g) for g in found] == [type(e) for e in expected], what
    numbers = [(g, e) for g, e in zip(found, expected, strict=True) if e is not None]
    compare([g for g, _ in numbers], [e for _, e in numbers], 1e-10, what)
