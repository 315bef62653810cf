"""Functions copied: with values of their own and unambiguous sizes, or without what they print."""

from __future__ import annotations

from s2sad.ir.builder import Sizes
from s2sad.ir.core import Block, Function, Instr, Operand
from s2sad.ir.path import is_fancy
from s2sad.ir.types import Array
from s2sad.ir.walk import Copier
from s2sad.ops.table import OPS
from s2sad.passes.base import sizes_after
from s2sad.passes.calls import everywhere
from s2sad.passes.rewrite import Rewriter
from s2sad.record import replace


def fresh(fn: Function) -> Function:
    """Return a copy of the function. A size that is known only at run time (`?3`) and defined in the
    body of a loop has another symbol outside: there it stands for the value of the last trip."""
    copier = _Scoped(sizes_after(fn))
    params = tuple(map(copier.define, fn.params))
    return replace(fn, params=params, block=copier.block(fn.block))


class _Scoped(Copier):
    """A part of a named part of an array, in the user's code, is read from the array itself: its
    cotangent goes there directly."""

    def __init__(self, sizes: Sizes):
        super().__init__(sizes)
        self.parts: dict[Operand, Instr] = {}

    def instr(self, instr: Instr) -> Instr:
        new = super().instr(instr)
        if new.role or new.op.name != "getitem" or is_fancy(new.param("path")):
            return new
        outer = self.parts.get(new.args[0])
        if outer is not None:
            path = (("path", (*outer.param("path"), *new.param("path"))),)
            new = replace(new, args=(*outer.args, *new.args[1:]), params=path)
        if isinstance(new.result.type, Array):
            self.parts[new.result] = new
        return new

    def block(self, block: Block) -> Block:
        outside = dict(self.symbols)
        copy = super().block(block)
        self.symbols = outside
        return copy


def _without_prints(fn: Function) -> Function:
    return _Silencer().function(fn)


silent = everywhere(_without_prints)  # for running a function again; the same one if it prints nothing


class _Silencer(Rewriter):
    def visit(self, instr: Instr) -> tuple[Instr, ...]:
        return () if instr.op is OPS["print"] else (self.inside(instr),)
