"""Order within a statement: what reads the old value of a name comes before its new value is written.

    s1 = s * x[i]                                  s_dot = x[i] * s_dot + s * x_dot[i]
    s_dot = x[i] * s_dot + s * x_dot[i]     ->     s = s * x[i]
    s = s1

An instruction that writes in place, or whose result has the name of a value that is still read, moves
behind the generated instructions of the same statement that read the old value. Nothing else moves.
(Not idempotent where three new values each need an old one of the next.)
"""

from __future__ import annotations

from s2sad.ir.core import Block, Function, Instr, Operand, Value
from s2sad.ir.op import Alias
from s2sad.passes.rewrite import Rewriter, same_objects
from s2sad.record import replace


def order(fn: Function) -> Function:
    """Return the function with writes behind what generated code reads of the value before."""
    return _Orderer().function(fn)


class _Orderer(Rewriter):
    def block(self, block: Block) -> Block:
        new = super().block(block)
        instrs = list(new.instrs)
        by = {r: i for i in instrs for r in i.results}
        for k in range(len(instrs) - 1, -1, -1):  # backwards: what moves goes where we have been
            if _is_update(instrs[k]):
                _move(instrs, k, by)
        return new if same_objects(instrs, new.instrs) else replace(new, instrs=tuple(instrs))


def _is_update(instr: Instr) -> bool:
    return len(instr.results) == 1 and instr.op.pure and not instr.blocks and bool(instr.result.name)


def _move(instrs: list[Instr], k: int, by: dict[Value, Instr]) -> None:
    """Move instruction `k` behind those that read what it replaces, if there are any."""
    update = instrs[k]
    end = k + 1
    while end < len(instrs) and _belongs(instrs[end], update):
        end += 1
    late: set[Operand] = {update.result}
    before: list[Instr] = []
    after: list[Instr] = []
    for instr in instrs[k + 1 : end]:
        if late.intersection(instr.args):
            late.update(instr.results)
            after.append(instr)
        else:
            before.append(instr)
    statements = [instr for instr in before if _is_statement(instr)]
    if not any(_reads_old(instr, update, by) for instr in statements):
        return
    if any(_is_update(instr) and _reads_old(update, instr, by) for instr in statements):
        return  # each would have to come before the other
    instrs[k:end] = [*before, update, *after]


def _belongs(instr: Instr, update: Instr) -> bool:
    if not instr.role or not instr.op.pure or instr.blocks:
        return False
    a, b = instr.origin, update.origin
    return a is b or (a is not None and b is not None and (a.file, a.line) == (b.file, b.line))


def _is_statement(instr: Instr) -> bool:
    return instr.op.alias is Alias.INPLACE or any(r.name for r in instr.results)


def _reads_old(instr: Instr, update: Instr, by: dict[Value, Instr]) -> bool:
    """True if the statement reads the value that `update` replaces; its shape stays the same."""
    todo = [instr]
    seen: set[Operand] = set()
    while todo:
        part = todo.pop()
        for k, a in enumerate(part.args):
            if not isinstance(a, Value) or a in seen or k in part.op.shape_args:
                continue
            seen.add(a)
            if update.op.alias is Alias.INPLACE and a == update.args[0]:
                return True
            if part.op.alias is Alias.INPLACE and k == 0:
                continue  # written to, under whatever name
            if a.name:
                if a.name == update.result.name and a != update.result:
                    return True
            elif a in by and not by[a].blocks:
                todo.append(by[a])
    return False
