"""Loops that are marked as independent, run from their last trip to the first: nothing may come of it."""

from __future__ import annotations

from dataclasses import replace

from s2sad.ir.builder import Builder
from s2sad.ir.core import Function, Instr, Literal
from s2sad.ir.loops import INDEPENDENT
from s2sad.ir.types import Scalar
from s2sad.ir.walk import expanded
from s2sad.lowering.nests.fuse import raises
from s2sad.lowering.nests.reductions import running_sums
from s2sad.passes.base import sizes_after
from s2sad.passes.calls import everywhere
from s2sad.passes.sizes import added, difference


def has_an_order(loop: Instr) -> bool:
    """Return whether a trip hands a scalar that is no sum to the next one, or may raise."""
    if raises(loop):
        return True
    scalars = {p for p in loop.blocks[0].params[1:] if isinstance(p.type, Scalar)}
    return bool(scalars - running_sums(loop).keys())


def _backwards(fn: Function) -> Function:
    sizes = sizes_after(fn)

    def turned(instr: Instr) -> tuple[Instr, ...]:
        if not instr.param(INDEPENDENT) or has_an_order(instr):
            return (instr,)
        lo, hi, step = instr.args[:3]
        b = Builder(sizes, instr.origin)
        move = difference if step == Literal(1) else added
        ends = (move(b, hi, Literal(1)), move(b, lo, Literal(1)), Literal(-int(step.value.real)))
        return (*b.instrs, replace(instr, args=(*ends, *instr.args[3:])))

    return replace(fn, block=expanded(fn.block, turned))


backwards = everywhere(_backwards)
