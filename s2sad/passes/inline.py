"""Inlining: of functions that stand for an instruction, as those of rules do (`extra["inline"]`), or of all.

It is done where the text does not grow: small callees, and those called once. One that returns early keeps
its function, and so does one with a rule: a derivative will ask for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.ir.core import Block, Function, Instr, Operand, Value, returns
from s2sad.ir.rule import rule_of
from s2sad.ir.types import Type
from s2sad.ir.walk import Copier, count
from s2sad.ops.table import OPS
from s2sad.passes.base import sizes_after
from s2sad.passes.rewrite import Rewriter, fits
from s2sad.record import replace

SMALL = 3  # instructions of a callee that is inlined wherever it is called


def inline(fn: Function) -> Function:
    """Return the function with small callees, and those with one call, in place of their calls, if they are
    marked for it."""
    calls: dict[Function, int] = {}
    for instr in fn.block.walk():
        if instr.op.name == "call":
            callee: Function = instr.param("callee")
            calls[callee] = calls.get(callee, 0) + 1
    if not any(f.extra.get("inline") for f in calls):
        return fn
    return _Inliner(fn, calls).function(fn)


def flattened(fn: Function) -> Function:
    """Return the function with all in place that it calls, but for what has a rule or returns early, and what
    is to be run again (`extra["kept"]`)."""
    return _Flattener(fn, {}).function(fn)


class _Inliner(Rewriter):
    def __init__(self, fn: Function, calls: dict[Function, int]) -> None:
        super().__init__()
        self.sizes = sizes_after(fn)
        self.calls = calls
        self.bodies: dict[Function, Function] = {}  # callees with their own calls inlined

    def visit(self, instr: Instr) -> Sequence[Instr]:
        new = self.inside(instr)
        if new.op.name != "call":
            return (new,)
        callee: Function = new.param("callee")
        if callee not in self.bodies:
            self.bodies[callee] = self.prepared(callee)
        body = self.bodies[callee]
        if rule_of(new) is not None or not self.worth(callee, body.block):
            changed = tuple((key, body if key == "callee" else value) for key, value in new.params)
            return (new if body is callee else replace(new, params=changed),)
        casts: list[Instr] = []
        args = [self.fitting(a, p.type, new, casts) for a, p in zip(new.args, body.params, strict=True)]
        copier = Copier(self.sizes, dict(zip(body.params, args, strict=True)))
        copied = copier.block(body.block)
        instrs = [replace(i, role=new.role) if new.role and not i.role else i for i in copied.instrs]
        instrs = [i for i in instrs if i.op.name != "comment"]  # they structure the callee's text
        for result, value in zip(new.results, copied.end.args, strict=True):
            self.replaced(result, self.fitting(value, result.type, new, instrs))
        return (*casts, *instrs)

    def prepared(self, callee: Function) -> Function:
        """Return a callee with its own calls inlined."""
        return inline(callee)

    def fitting(self, a: Operand, t: Type, call: Instr, casts: list[Instr]) -> Operand:
        """Return `a` as a value of type `t`: a Python number may have to become a NumPy scalar."""
        if fits(a, t):
            return a
        result = Value("", t)
        params = (("dtype", t.dtype),)
        casts.append(Instr(OPS["cast"], (a,), (result,), params, (), call.origin, call.role))
        return result

    def worth(self, callee: Function, body: Block) -> bool:
        """True if the callee is to be inlined."""
        if not callee.extra.get("inline") or not _has_one_exit(body):
            return False
        return self.calls[callee] == 1 or count(body) <= SMALL


class _Flattener(_Inliner):
    def prepared(self, callee: Function) -> Function:
        return flattened(callee)

    def worth(self, callee: Function, body: Block) -> bool:
        return not callee.extra.get("kept") and _has_one_exit(body)


def _has_one_exit(body: Block) -> bool:
    return body.end.kind == "return" and len(list(returns(body))) == 1
