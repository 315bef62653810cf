"""Tail form means the same and has the shape that the reverse sweep relies on."""

from __future__ import annotations

import numpy as np
import pytest

from s2sad.frontend.build import build
from s2sad.ir import interp
from s2sad.ir.verify import verify
from s2sad.transforms.tailform import tailform
from tests.transforms.numeric import flags
from tests.transforms.programs import PROGRAMS


def inner_blocks(block):
    for instr in block.walk():
        for inner in instr.blocks:
            yield instr, inner


@pytest.mark.parametrize("name", PROGRAMS)
def test_tail_form(name):
    f, args, _ = PROGRAMS[name]
    fn = build(f, args)
    tail = verify(tailform(fn))
    leaves, _ = flags(args, ())
    for a, b in zip(interp.run(fn, *leaves), interp.run(tail, *leaves), strict=True):
        assert np.array_equal(a, b, equal_nan=True)
    kinds = {inner.end.kind for _, inner in inner_blocks(tail.block)}
    assert kinds <= {"yield", "break", "raise", "unreachable"}
    for instr, inner in inner_blocks(tail.block):
        if instr.op.name == "if" and any(b.leaves for b in instr.blocks):
            assert inner.leaves or not inner.instrs  # a way out by itself


def mixed(x):
    s = 1.0
    for i in range(x.shape[0]):
        if x[i] > 0.5:
            if x[i] > 0.9:
                continue
            if x[i] > 0.7:
                break
            s += 1.0
        elif x[i] < 0.1:
            if x[i] < 0.0:
                return -s
            s *= 2.0
        s += x[i]
    return s


CASES = [
    [0.2, 0.6, 0.3],
    [0.2, 0.95, 0.3],
    [0.2, 0.8, 0.3],
    [0.05, -0.5, 0.3],
    [0.05, 0.2, 0.95],
    [],
]


@pytest.mark.parametrize("values", CASES, ids=str)
def test_all_exits(values):
    fn = build(mixed, (np.array([0.3]),))
    (got,) = interp.run(verify(tailform(fn)), np.array(values))
    assert got == mixed(np.array(values))
