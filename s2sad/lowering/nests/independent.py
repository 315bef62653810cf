"""Innermost loops whose trips do not depend on each other by what they read and write, marked: the vectoriser
need not find out, at each run, whether arrays overlap."""

from __future__ import annotations

from s2sad.ir.core import Function, Instr
from s2sad.ir.loops import INDEPENDENT
from s2sad.ir.walk import expanded
from s2sad.lowering.nests.accesses import Accesses, defined
from s2sad.lowering.nests.affine import Forms
from s2sad.record import replace


def mark_independent(fn: Function) -> Function:
    """Return the function with innermost loops of independent trips marked."""
    marker = _Marker(fn)
    block = expanded(fn.block, marker.instr)
    return replace(fn, block=block) if marker.found else fn


class _Marker:
    def __init__(self, fn: Function) -> None:
        self.accesses = Accesses(fn, Forms(fn.block))
        self.found = False

    def instr(self, instr: Instr) -> tuple[Instr, ...]:
        """Return the instruction, marked if it is such a loop."""
        if instr.op.name != "for" or instr.param(INDEPENDENT) or not self.is_independent(instr):
            return (instr,)
        self.found = True
        return (replace(instr, params=tuple(sorted((*instr.params, (INDEPENDENT, True))))),)

    def is_independent(self, loop: Instr) -> bool:
        """True if no trip of an innermost loop writes what another one reads or writes."""
        (body,) = loop.blocks
        if any(i.op.name in ("for", "while") for i in body.walk()):
            return False
        found = self.accesses.of(loop)
        if not found:
            return False
        i, inner = body.params[0], defined(loop)
        if any(self.accesses.arrays.frame(x.value) in inner for x in found):
            return False  # another array in each trip, perhaps a view of the last one
        for n, x in enumerate(found):
            for y in found[n:]:
                if not (x.is_write or y.is_write) or not self.accesses.may_share(x.value, y.value, inner):
                    continue
                if not self.accesses.in_one_trip(x, y, i, inner):
                    return False
        return True
