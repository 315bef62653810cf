"""Functions copied: with values of their own and unambiguous sizes, or without what they print."""

from __future__ import annotations

from dataclasses import replace

from s2sad.ir.core import Block, Function
from s2sad.ir.walk import Copier
from s2sad.ops.table import OPS
from s2sad.passes.base import sizes_after


def fresh(fn: Function) -> Function:
    """Return a copy of the function. A size that is known only at run time (`?3`) and defined in the
    body of a loop has another symbol outside: there it stands for the value of the last trip."""
    copier = _Scoped(sizes_after(fn))
    params = tuple(map(copier.define, fn.params))
    return replace(fn, params=params, block=copier.block(fn.block))


class _Scoped(Copier):
    def block(self, block: Block) -> Block:
        outside = dict(self.symbols)
        copy = super().block(block)
        self.symbols = outside
        return copy


def silent(fn: Function) -> Function:
    """Return the function without its prints, those of the functions it calls included: for running it
    again. The same function if it prints nothing."""
    block = _silent(fn.block)
    return fn if block is fn.block else replace(fn, block=block)


def _silent(block: Block) -> Block:
    instrs = []
    for instr in block.instrs:
        if instr.op is OPS["print"]:
            continue
        if instr.blocks:
            blocks = tuple(map(_silent, instr.blocks))
            if any(new is not old for new, old in zip(blocks, instr.blocks, strict=True)):
                instr = replace(instr, blocks=blocks)
        elif instr.op is OPS["call"]:
            callee = instr.param("callee")
            quiet = silent(callee)
            if quiet is not callee:
                others = tuple(p for p in instr.params if p[0] != "callee")
                instr = replace(instr, params=(("callee", quiet), *others))
        instrs.append(instr)
    if len(instrs) == len(block.instrs) and all(a is b for a, b in zip(instrs, block.instrs, strict=True)):
        return block
    return Block(block.params, tuple(instrs), block.end)
