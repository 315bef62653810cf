"""Calls without arguments that the called function does not read."""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.ir.core import Block, Function, Instr
from s2sad.ir.rule import rule_of
from s2sad.ir.tree import leaves, renumber
from s2sad.ir.walk import free_values
from s2sad.passes.rewrite import Rewriter
from s2sad.record import replace


def arguments(fn: Function) -> Function:
    """Return the function with its calls shortened; a function with a rule keeps its arguments, for the rule
    may read them."""
    return _Shortener().function(fn)


def bare(fn: Function) -> Function:
    """Return the function without rules, which only derivatives ask for."""
    return _Barer().function(fn)


class _Shortener(Rewriter):
    def __init__(self) -> None:
        super().__init__()
        self.done: dict[Function, tuple[Function, list[int]]] = {}

    def visit(self, instr: Instr) -> Sequence[Instr]:
        new = self.inside(instr)
        if new.op.name != "call" or rule_of(new) is not None:
            return (new,)
        callee: Function = new.param("callee")
        if callee not in self.done:
            self.done[callee] = _without_unused(callee)
        made, kept = self.done[callee]
        if made is callee:
            return (new,)
        params = tuple((key, made if key == "callee" else value) for key, value in new.params)
        return (replace(new, params=params, args=tuple(new.args[k] for k in kept)),)


class _Barer(Rewriter):
    def visit(self, instr: Instr) -> Sequence[Instr]:
        new = self.inside(instr)
        if rule_of(new) is not None:
            new = replace(new, params=tuple(p for p in new.params if p[0] != "rule"))
        return (new,)


def _without_unused(fn: Function) -> tuple[Function, list[int]]:
    """Return the function without parameters that it reads no leaf of, and the leaves that it keeps."""
    read = free_values(Block((), fn.block.instrs, fn.block.end))
    signature = [p for p in fn.signature if any(fn.params[k] in read for k in leaves(p.tree))]
    kept = sorted(k for p in signature for k in leaves(p.tree))
    if len(kept) == len(fn.params):
        return fn, kept
    place = {k: j for j, k in enumerate(kept)}
    moved = tuple(replace(p, tree=renumber(p.tree, place)) for p in signature)
    return replace(fn, params=tuple(fn.params[k] for k in kept), signature=moved), kept
