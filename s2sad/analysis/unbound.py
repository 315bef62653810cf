"""Names that may be unbound: where an `undef` gets to through the joins of control flow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from s2sad.ir.core import Block, Instr, Operand, Value
from s2sad.ir.loops import LOOPS, carried, inits, loop_ends


def joins(instr: Instr) -> Iterator[tuple[tuple[Value, ...], tuple[Operand, ...]]]:
    """Yield what an instruction with blocks binds together: (targets, one of the ways they are bound)."""
    if instr.op.name == "if":
        for block in instr.blocks:
            if block.end.kind == "yield":
                yield instr.results, block.end.args
    elif instr.op.name in LOOPS:
        yield carried(instr), inits(instr)
        yield instr.results, inits(instr)
        for end in loop_ends(instr.blocks[-1]):
            yield instr.results, end.args
            if end.kind != "break":
                yield carried(instr), end.args
        if instr.op.name == "while":
            yield instr.blocks[0].params, carried(instr)


def maybe_unbound(block: Block, undefs: set[Instr] | None = None) -> set[Value]:
    """Return the values that are `undef` on some path (one of `undefs`, if given): what their types say
    holds on the others only."""
    found: set[Value] = set()
    rows: list[tuple[tuple[Value, ...], tuple[Operand, ...]]] = []
    for instr in block.walk():
        if instr.op.name == "undef" and (undefs is None or instr in undefs):
            found.update(instr.results)
        rows += joins(instr)
    before = -1
    while before != len(found):
        before = len(found)
        for targets, row in rows:
            found.update(t for t, a in zip(targets, row, strict=True) if a in found)
    return found


def undefs_of(block: Block, leaves: Iterable[Operand]) -> set[Instr]:
    """Return the `undef` instructions that one of the leaves may be."""
    made: dict[Value, Instr] = {}
    sources: dict[Value, list[Operand]] = {}
    for instr in block.walk():
        if instr.op.name == "undef":
            made[instr.result] = instr
        for targets, row in joins(instr):
            for t, a in zip(targets, row, strict=True):
                sources.setdefault(t, []).append(a)
    found: set[Instr] = set()
    seen: set[Operand] = set()
    todo = list(leaves)
    while todo:
        a = todo.pop()
        if a in seen or not isinstance(a, Value):
            continue
        seen.add(a)
        if a in made:
            found.add(made[a])
        todo += sources.get(a, ())
    return found
