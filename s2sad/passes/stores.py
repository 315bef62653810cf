"""Dead stores: generated writes to an element that nobody reads any more.

A reverse sweep sets a cotangent to 0.0 where the primal wrote; where all that follows reads other
elements, that is work for nothing, and it may cost a copy of what must not be written to. Elements are
told apart by literal indices, all of them counted from the same end.
"""

from __future__ import annotations

from s2sad.ir.core import Block, Function, Instr, Value
from s2sad.passes.place import WRITING, Place, are_apart, element
from s2sad.passes.rewrite import Rewriter


def stores(fn: Function) -> Function:
    """Return the function without generated writes to elements that are not read afterwards."""
    uses: dict[Value, list[tuple[Instr | None, int]]] = {}
    _collect(fn.block, uses)
    rewriter = Rewriter()
    for instr in fn.block.walk():
        place = element(instr) if instr.op.name in WRITING and instr.role else None
        if place is not None and not _is_read(instr.result, place, uses):
            rewriter.map[instr.result] = instr.args[0]
    return rewriter.function(fn) if rewriter.map else fn


def _collect(block: Block, uses: dict[Value, list[tuple[Instr | None, int]]]) -> None:
    for instr in block.instrs:
        for k, a in enumerate(instr.args):
            if isinstance(a, Value):
                uses.setdefault(a, []).append((instr, k))
        for inner in instr.blocks:
            _collect(inner, uses)
    for a in block.end.args:
        if isinstance(a, Value):
            uses.setdefault(a, []).append((None, 0))


def _is_read(version: Value, place: Place, uses: dict[Value, list[tuple[Instr | None, int]]]) -> bool:
    """True if the element may be read in this version, or in one made from it."""
    todo = [version]
    while todo:
        for instr, k in uses.get(todo.pop(), ()):
            if instr is None:
                return True
            if k in instr.op.shape_args:
                continue
            if k != 0 or instr.op.name not in (*WRITING, "getitem"):
                return True
            other = element(instr)
            if other is None or not are_apart(place, other):
                return True
            if instr.op.name in WRITING:
                todo.append(instr.result)
    return False
