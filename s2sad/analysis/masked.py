"""Values that only a selection reads: `np.where(x > 0, np.log(x), 0.0)` may well take the log of 0."""

from __future__ import annotations

from s2sad.ir.core import Block, Function, Instr, Value
from s2sad.ir.op import Kind

SELECTIONS = ("where", "where0")


def masked(fn: Function) -> frozenset[Value]:
    """Return the values that are read as a branch of a selection, directly or by way of elementwise
    operations, and by nothing else."""
    found: set[Value] = set()
    read: set[Value] = set()  # by anything else
    _visit(fn.block, found, read)
    return frozenset(found - read)


def _visit(block: Block, found: set[Value], read: set[Value]) -> None:
    read.update(a for a in block.end.args if isinstance(a, Value))
    for instr in reversed(block.instrs):  # what reads a value comes after it
        for inner in instr.blocks:
            _visit(inner, found, read)
        for k, a in enumerate(instr.args):
            if isinstance(a, Value):
                (found if _selects(instr, k, found, read) else read).add(a)


def _selects(instr: Instr, k: int, found: set[Value], read: set[Value]) -> bool:
    if instr.op.name in SELECTIONS:
        return k > 0
    passes_on = instr.op.kind is Kind.ELEMENTWISE and not instr.blocks
    return passes_on and instr.result in found and instr.result not in read
