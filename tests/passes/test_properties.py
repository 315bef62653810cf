"""Passes keep what a program computes: on random programs, against the interpreter."""

from __future__ import annotations

import numpy as np
import pytest
from random_ir import assert_same_outcome, program

from s2sad.ir import interp
from s2sad.ir.text import print_function
from s2sad.ir.verify import verify
from s2sad.passes.base import Pass
from s2sad.passes.cse import cse
from s2sad.passes.dce import dce
from s2sad.passes.hints import hints
from s2sad.passes.join import join
from s2sad.passes.order import order
from s2sad.passes.prune import prune
from s2sad.passes.repeat import repeat
from s2sad.passes.shapes import shapes
from s2sad.passes.simplify import simplify
from s2sad.passes.stores import stores
from s2sad.passes.typed import typed
from s2sad.passes.unname import unname

CLEAN = (hints, simplify, cse, prune, join, stores, shapes, dce)
PASSES = (*CLEAN, typed, order, repeat, unname)


@pytest.mark.parametrize("step", PASSES)
@pytest.mark.parametrize("role", ["tangent", "reverse"])
def test_values_stay(step: Pass, role: str) -> None:
    for seed in range(80):
        before = verify(program(seed, role), "random")
        after = verify(step(before), step.__name__)
        with np.errstate(all="ignore"):
            assert_same_outcome(before, after, seed, interp.run, signs=role == "tangent")


@pytest.mark.parametrize("step", PASSES)
def test_a_pass_is_idempotent(step: Pass) -> None:
    for seed in range(60):
        once = step(program(seed))
        twice = step(once)
        assert twice is once, f"seed {seed}:\n{print_function(once, True)}\n->\n{print_function(twice, True)}"


def test_all_of_them_together() -> None:
    for seed in range(80):
        before = fn = program(seed, "reverse")
        for _ in range(3):
            for step in CLEAN:
                fn = verify(step(fn), step.__name__)
        with np.errstate(all="ignore"):
            assert_same_outcome(before, fn, seed, interp.run, signs=False)
        again = fn
        for step in CLEAN:
            again = step(again)
        assert again is fn, f"seed {seed} is not at its fixpoint after three rounds"
