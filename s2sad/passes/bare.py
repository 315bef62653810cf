"""Calls without what only derivatives read: rules, and arguments that are there for a rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from s2sad.ir.core import Function, Instr, Parameter
from s2sad.ir.rule import rule_of
from s2sad.ir.tree import Leaf
from s2sad.ir.walk import free_values
from s2sad.passes.rewrite import Rewriter


def bare(fn: Function) -> Function:
    """Return the function with its calls of functions with rules as plain ones."""
    return _Barer().function(fn)


class _Barer(Rewriter):
    def __init__(self) -> None:
        super().__init__()
        self.done: dict[Function, tuple[Function, list[int]]] = {}

    def visit(self, instr: Instr) -> Sequence[Instr]:
        new = self.inside(instr)
        if rule_of(new) is None:
            return (new,)
        callee: Function = new.param("callee")
        if callee not in self.done:
            self.done[callee] = _without_unused(callee)
        made, kept = self.done[callee]
        return (replace(new, params=(("callee", made),), args=tuple(new.args[k] for k in kept)),)


def _without_unused(fn: Function) -> tuple[Function, list[int]]:
    """Return a function of leaves without parameters that it does not read, and which it has."""
    read = free_values(fn.block)
    kept = [k for k, p in enumerate(fn.params) if p in read]
    signature = tuple(Parameter(fn.signature[k].name, Leaf(j)) for j, k in enumerate(kept))
    return replace(fn, params=tuple(fn.params[k] for k in kept), signature=signature), kept
