"""A function copied so that its values are its own and its run-time size symbols mean one thing each."""

from __future__ import annotations

from dataclasses import replace

from s2sad.ir.core import Block, Function
from s2sad.ir.walk import Copier
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
