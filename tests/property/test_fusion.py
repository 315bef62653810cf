"""Gradients of random programs, where both sweeps are one function: loops fused, not fused, and NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from oracle import copied, leaves
from property.programs import generated
from property.verdicts import LIMIT, SIZES, arguments, loaded, lowering_interpreted, memory_poisoned

import s2sad
from s2sad.lowering import optimize
from s2sad.lowering.optimize import NESTS

PROGRAMS = 72
SHARDS = 12
ACTIVE = (0, 1, 2, 3, 4)


def scalar_of(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return the program's total as a function of its own."""

    def total(x, y, w, a, c, k, idx):
        out = f(x, y, w, a, c, k, idx)
        return out["total"] if isinstance(out, dict) else out[0] if isinstance(out, tuple) else out

    return total


def inputs(number: int, n: int, m: int) -> tuple[Any, ...]:
    """Return arguments, some of the index array's entries counted from the end."""
    *others, idx = arguments(number, n, m)
    return (*others, idx - n * (idx % 2))


def outcome(f: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Return the leaves of a result, or what was raised."""
    try:
        with np.errstate(all="ignore"):
            return leaves(f(*copied(args)))
    except (ArithmeticError, LookupError, ValueError) as error:
        return type(error)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_gradients(shard: int, monkeypatch: pytest.MonkeyPatch):
    for number in range(shard, PROGRAMS, SHARDS):
        total = scalar_of(loaded(generated(number).text, f"program_{number}"))
        plain = s2sad.value_and_grad(total, argnums=ACTIVE)
        try:
            outcome(plain, inputs(number, *SIZES[0]))
        except s2sad.S2sadError:
            continue  # refused: counted by test_random_programs
        for nests in (NESTS, ()):
            monkeypatch.setattr(optimize, "NESTS", nests)
            lowered = [make(total, argnums=ACTIVE, jit=True) for make in (s2sad.value_and_grad, s2sad.grad)]
            for size in SIZES:
                args = inputs(number, *size)
                want = outcome(plain, args)
                with lowering_interpreted(), memory_poisoned():
                    both, only = (outcome(f, args) for f in lowered)
                if isinstance(want, type):
                    assert (both, only) == (want, want), f"program {number} at {size}"
                    continue
                scale = max(1.0, *(float(np.max(np.abs(v), initial=0.0)) for v in want))
                if not scale < LIMIT:
                    continue
                for got, expected in zip([*both, *only], [*want, *want[1:]], strict=True):
                    assert np.shape(got) == np.shape(expected), f"program {number} at {size}"
                    gap = np.max(np.abs(np.asarray(got) - expected), initial=0.0)
                    assert gap <= 1e-9 * scale, f"program {number} at {size}: off by {gap}"
