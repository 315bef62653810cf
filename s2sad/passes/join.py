"""Joining ifs: two generated ones in a row that ask the same are one.

if returned: s_bar = 0.0                       if returned: s_bar = 0.0; s_bar += g
else: s_bar = y_bar                    ->      else: s_bar = y_bar
if returned: s_bar += g
"""

from __future__ import annotations

from s2sad.ir.core import Block, Function, Instr, Operand, Value
from s2sad.ir.walk import substitute, used_values
from s2sad.passes.rewrite import Rewriter
from s2sad.record import replace


def join(fn: Function) -> Function:
    """Return the function with neighbouring generated ifs of the same condition joined."""
    return _Joiner().function(fn)


class _Joiner(Rewriter):
    def block(self, block: Block) -> Block:
        new = super().block(block)
        instrs: list[Instr] = []
        last: int | None = None  # where the latest `if` is that another one may be joined with
        for instr in new.instrs:
            if last is not None and _alike(instrs[last], instr):
                first = instrs.pop(last)  # what has come since does not read its results
                instrs.append(_joined(first, instr))
                last = len(instrs) - 1
                continue
            instrs.append(instr)
            if _is_plain_if(instr):
                last = len(instrs) - 1
            elif last is not None and not _may_go_before(instr, instrs[last]):
                last = None
        return new if len(instrs) == len(new.instrs) else replace(new, instrs=tuple(instrs))


def _is_plain_if(instr: Instr) -> bool:
    return instr.op.name == "if" and bool(instr.role) and all(b.end.kind == "yield" for b in instr.blocks)


def _alike(first: Instr, second: Instr) -> bool:
    return _is_plain_if(second) and first.args == second.args and isinstance(first.args[0], Value)


def _may_go_before(instr: Instr, first: Instr) -> bool:
    if not instr.role or not instr.op.pure or instr.blocks or instr.op.name == "call":
        return False
    return not set(first.results).intersection(used_values(instr))


def _joined(first: Instr, second: Instr) -> Instr:
    blocks = []
    for a, b in zip(first.blocks, second.blocks, strict=True):
        known: dict[Value, Operand] = dict(zip(first.results, a.end.args, strict=True))
        after = substitute(b, known)
        end = replace(a.end, args=(*a.end.args, *after.end.args))
        blocks.append(Block((), (*a.instrs, *after.instrs), end))
    return replace(first, blocks=tuple(blocks), results=(*first.results, *second.results))
