"""Derivatives that functions have been given (`ir/rule.py`), put in place of those of their code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from s2sad.analysis.activity import activity
from s2sad.analysis.pullback import Pullbacks
from s2sad.errors import Origin
from s2sad.ir.core import Block, Function, Instr, Value
from s2sad.ir.rule import Link, Rule, link_of, operand_of, rule_of
from s2sad.ir.walk import Copier
from s2sad.ops.control import LINKED
from s2sad.passes.base import sizes_after
from s2sad.passes.inline import inline
from s2sad.passes.rewrite import Rewriter
from s2sad.record import replace

Transpose = Callable[[Rule, int, Origin | None], Link]


def linked(fn: Function, active: Sequence[bool], results: Sequence[bool], transpose: Transpose) -> Function:
    """Return the function with the forward half of a rule in place of every call that a derivative flows
    through and whose function has a rule. `transpose` makes the Link of a rule for forward mode."""
    if not any(rule_of(i) is not None for i in fn.block.walk()):
        return fn
    flowing = activity(fn, active, Pullbacks(), results)
    calls = {i for i in fn.block.walk() if any(r in flowing for r in i.results)}
    return inline(_Linker(fn, calls, transpose).function(fn))


def unlinked(block: Block) -> Block:
    """Return the block without links: what is differentiated again is the code that is there now."""
    return _Unlinker().block(block) if any(i.op is LINKED for i in block.walk()) else block


def linked_operands(instr: Instr) -> Iterator[Value]:
    """Yield the values that reversing an instruction `linked` reads, but for seeds."""
    for read in link_of(instr).reads:
        a = operand_of(instr, read)
        if isinstance(a, Value):
            yield a


class _Linker(Rewriter):
    def __init__(self, fn: Function, flowing: set[Instr], transpose: Transpose) -> None:
        super().__init__()
        self.sizes, self.flowing, self.transpose = sizes_after(fn), flowing, transpose

    def visit(self, instr: Instr) -> Sequence[Instr]:
        new, rule = self.inside(instr), rule_of(instr)
        if rule is None or instr not in self.flowing:
            return (new,)
        link = rule.read().link
        if link is None:
            link = rule.link = self.transpose(rule, len(instr.results), instr.origin)
        copier = Copier(self.sizes)
        types = [copier.type(t) for t in link.forward.result_types[link.values :]]
        values = tuple(Value(r.name, r.type) for r in new.results)
        residuals = tuple(Value("", t) for t in types)
        call = replace(new, params=(("callee", link.forward),), results=(*values, *residuals))
        operands = (*values, *new.args, *residuals)
        mark = Instr(LINKED, operands, new.results, (("link", link),), (), new.origin, new.role)
        return (call, mark)


class _Unlinker(Rewriter):
    def visit(self, instr: Instr) -> Sequence[Instr]:
        new = self.inside(instr)
        if new.op is not LINKED:
            return (new,)
        for result, value in zip(new.results, new.args, strict=False):
            self.replaced(result, value)
        return ()
