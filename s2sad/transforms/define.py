"""Unbound names: what may be one, and a value for those that leave a function on a tape."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from s2sad.analysis.activity import LOOPS, carried, inits
from s2sad.analysis.program import Program
from s2sad.ir.core import Block, Instr, Literal, Operand, Value
from s2sad.ir.types import Array, Scalar
from s2sad.ops.table import OPS
from s2sad.passes.rewrite import loop_ends

ZEROS = {"b": False, "i": 0, "u": 0, "f": 0.0, "c": 0j}


def define(block: Block, leaves: Iterable[Operand]) -> Block:
    """Return the block with every `undef` that one of the leaves may be replaced by a zero."""
    return _replaced(block, _undefined(block, leaves))


def _undefined(block: Block, leaves: Iterable[Operand]) -> set[Instr]:
    """Return the `undef` instructions that reach the leaves through joins of control flow."""
    made: dict[Value, tuple[Instr, int]] = {}
    slots: dict[Value, tuple[Instr, int]] = {}
    for instr in block.walk():
        made.update((r, (instr, k)) for k, r in enumerate(instr.results))
        if instr.op.name in LOOPS:
            slots.update((p, (instr, k)) for k, p in enumerate(carried(instr)))
    found: set[Instr] = set()
    seen: set[Operand] = set()
    todo = list(leaves)
    while todo:
        a = todo.pop()
        if a in seen or not isinstance(a, Value):
            continue
        seen.add(a)
        place = made.get(a) or slots.get(a)
        if place is None:
            continue
        instr, k = place
        if instr.op is OPS["undef"]:
            found.add(instr)
        elif instr.op.name == "if":
            todo += (b.end.args[k] for b in instr.blocks if b.end.kind == "yield")
        elif instr.op.name in LOOPS:
            todo += (inits(instr)[k], *(end.args[k] for end in loop_ends(instr.blocks[-1])))
    return found


def _replaced(block: Block, targets: set[Instr]) -> Block:
    if not targets:
        return block
    instrs = []
    for instr in block.instrs:
        if instr in targets:
            instrs.append(_zero(instr))
        elif instr.blocks:
            blocks = tuple(_replaced(b, targets) for b in instr.blocks)
            instrs.append(replace(instr, blocks=blocks))
        else:
            instrs.append(instr)
    return Block(block.params, tuple(instrs), block.end)


def _zero(instr: Instr) -> Instr:
    t = instr.result.type
    if isinstance(t, Array):
        dims = (Literal(0),) * t.ndim
        return replace(instr, op=OPS["empty"], args=dims, params=(("dtype", t.dtype),))
    zero = Literal(ZEROS[t.dtype.kind])
    return replace(instr, op=OPS["widen"], args=(zero,), params=(("type", Scalar(t.dtype, t.weak)),))


def maybe_unbound(program: Program) -> set[Value]:
    """Return the values that are `undef` on some path: what their types say holds on the others only."""
    found: set[Value] = set()
    before = -1
    while before != len(found):
        before = len(found)
        for block in program.loop_of:
            for instr in block.instrs:
                _join(instr, found)
    return found


def _join(instr: Instr, found: set[Value]) -> None:
    if instr.op.name == "undef":
        found.update(instr.results)
    for row in _rows(instr):
        for k, a in enumerate(row):
            if a in found:
                found.add(instr.results[k])
                if instr.op.name in LOOPS:
                    found.update(b.params[k + (instr.op.name == "for")] for b in instr.blocks)


def _rows(instr: Instr) -> list[tuple[Operand, ...]]:
    """Return what the results of an instruction with blocks can be."""
    if instr.op.name in LOOPS:
        return [inits(instr), *(end.args for end in loop_ends(instr.blocks[-1]))]
    return [b.end.args for b in instr.blocks if b.end.kind == "yield"]
