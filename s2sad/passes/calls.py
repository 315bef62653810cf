"""Passes on called functions: a program is as clean as what it calls."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from s2sad.ir.core import Function, Instr
from s2sad.ir.walk import holding
from s2sad.passes.base import Pass
from s2sad.passes.rewrite import Rewriter


def everywhere(step: Pass) -> Pass:
    """Return the pass that applies `step` to a function and to all that it calls, each once."""

    @functools.wraps(step)
    def whole(fn: Function) -> Function:
        return _Callees(step).of(fn)

    return whole


class _Callees(Rewriter):
    def __init__(self, step: Pass) -> None:
        super().__init__()
        self.step = step
        self.done: dict[Function, Function] = {}

    def of(self, fn: Function) -> Function:
        if fn not in self.done:
            self.done[fn] = self.step(self.function(fn) if fn.block.callees else fn)
        return self.done[fn]

    def visit(self, instr: Instr) -> Sequence[Instr]:
        return (holding(self.inside(instr), self.of),)
