"""Whether floats decide on the course of a function: what is computed from them reaches a condition, a bound
of a loop or an index."""

from __future__ import annotations

from collections.abc import Iterator

from s2sad.analysis.flows import flows, reached
from s2sad.ir.core import Block, Function, Instr, Operand
from s2sad.ir.op import Kind
from s2sad.ir.types import is_differentiable

BY_ELEMENT = ("where", "where0")  # conditions of these choose, but both choices count


def follows_values(fn: Function) -> bool:
    """True if the course of the function (a branch, the trips of a loop, an index) may depend on floats: then
    what depends on what may be otherwise at other arguments of the same sizes."""
    floats = (p for p in fn.params if is_differentiable(p.type))
    tainted = reached(floats, (f for f in flows(fn) if not f.decides))
    return any(a in tainted for a in _steering(fn.block, set()))


def _steering(block: Block, seen: set[Function]) -> Iterator[Operand]:
    """Yield the conditions, bounds and indices of a block and of all that it calls."""
    for instr in block.walk():
        match instr.op.name:
            case "if":
                yield instr.args[0]
            case "for":
                yield from instr.args[:3]
            case "while":
                yield from instr.blocks[0].end.args
            case "call":
                callee: Function = instr.param("callee")
                if callee not in seen:
                    seen.add(callee)
                    yield from _steering(callee.block, seen)
            case _ if not _chooses(instr):
                yield from (a for a in instr.args if a.type.dtype.kind in "biu")


def _chooses(instr: Instr) -> bool:
    """True if what an instruction reads cannot decide on which elements it reads."""
    return instr.op.kind in (Kind.NONDIFF, Kind.ELEMENTWISE) or instr.op.name in BY_ELEMENT
