"""Random programs whose loops of independent trips are run trip by trip from the last one, each with sums of
its own: what threads may do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from emulate import emulate
from oracle import copied, leaves
from property.programs import generated
from property.test_fusion import ACTIVE, inputs, outcome, scalar_of
from property.verdicts import LIMIT, SIZES, loaded

import s2sad
from s2sad.driver import compiled
from s2sad.ir.core import Function
from s2sad.lowering.native import native
from s2sad.lowering.parallel.outline import has_marks, outlined
from s2sad.settings import settings

PROGRAMS = 120
SHARDS = 8
COMPILED = range(0, 120, 17)


def in_any_order(loops: Function, note: object = None) -> Callable[..., tuple[Any, ...]]:
    """Return a program as threads may run it."""
    fn = outlined(native(loops))
    return lambda *values: emulate(fn, *values)


def compare(number: int, f: Callable[..., Any], g: Callable[..., Any]) -> None:
    for size in SIZES:
        args = inputs(number, *size)
        want, got = outcome(f, args), outcome(g, args)
        if isinstance(want, type):
            assert got == want, f"program {number} at {size}"
            continue
        scale = max(1.0, *(float(np.max(np.abs(v), initial=0.0)) for v in want))
        if not scale < LIMIT:
            continue
        for x, y in zip(got, want, strict=True):
            assert np.shape(x) == np.shape(y)
            gap = np.max(np.abs(np.asarray(x) - y), initial=0.0)
            assert gap <= 1e-9 * scale, f"program {number} at {size}: off by {gap}"


@pytest.mark.parametrize("shard", range(SHARDS))
def test_trips_in_any_order(shard: int, monkeypatch: pytest.MonkeyPatch):
    marked = 0
    for number in range(shard, PROGRAMS, SHARDS):
        text = generated(number).text
        f = loaded(text, f"program_{number}")
        total = scalar_of(f)
        plain = s2sad.value_and_grad(total, argnums=ACTIVE)
        try:
            outcome(plain, inputs(number, *SIZES[0]))
        except s2sad.S2sadError:
            continue  # refused: counted by test_random_programs
        monkeypatch.setattr(compiled, "load_kernel", in_any_order)
        gradient = s2sad.value_and_grad(total, argnums=ACTIVE, jit="parallel")
        compare(number, plain, gradient)
        marked += has_marks(gradient.variant.main.loops)
        primal = s2sad.jit(f, parallel=True)
        compare(number, lambda *args, f=f: leaves(f(*copied(args))), primal)
    assert marked >= PROGRAMS // SHARDS // 3


@pytest.mark.parametrize("number", COMPILED)
def test_threads(number: int):
    total = scalar_of(loaded(generated(number).text, f"program_{number}"))
    with settings.override(grain=0, threads=3, cache="0"):
        try:
            serial, shared = (s2sad.value_and_grad(total, argnums=ACTIVE, jit=j) for j in (True, "parallel"))
            compare(number, serial, shared)
        except s2sad.S2sadError:
            return
