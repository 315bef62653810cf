"""Scalars that the trips of a loop only add to, through branches and inner loops."""

from __future__ import annotations

from s2sad.ir.core import Block, Instr, Operand, Value
from s2sad.ir.loops import inits
from s2sad.ir.types import Scalar
from s2sad.ir.walk import operands


def is_sum(loop: Instr, k: int) -> bool:
    """True if slot k of a `for` loop is a number that its trips add to, or subtract from, and do not look
    at."""
    (body,) = loop.blocks
    p = body.params[1 + k]
    t = p.type
    if not isinstance(t, Scalar) or t.dtype.kind not in "iuf" or body.end.kind != "yield" or _leaves(body):
        return False
    return body.end.args[k] is not p and _is_passed_on(body, p, body.end.args[k])


def _is_passed_on(block: Block, value: Value, last: Operand) -> bool:
    """True if `last` is what a block makes of a value by adding to it, and nothing else reads it."""
    for instr in block.instrs:
        if _count(instr, value) == 0:
            continue
        after = _after(instr, value)
        if after is None or sum(a is value for a in _behind(block, instr)):
            return False
        value = after
    return last is value and sum(a is value for a in block.end.args) == 1


def _behind(block: Block, instr: Instr) -> list[Operand]:
    """Return what is read in a block after an instruction."""
    place = block.instrs.index(instr)
    return list(operands(Block((), block.instrs[place + 1 :], block.end)))


def _count(instr: Instr, value: Value) -> int:
    inside = sum(sum(a is value for a in operands(b)) for b in instr.blocks)
    return inside + sum(a is value for a in instr.args)


def _after(instr: Instr, value: Value) -> Value | None:
    """Return the result that is the value with something added; None if the instruction looks at it."""
    args = [a is value for a in instr.args]
    match instr.op.name:
        case "add" if sum(args) == 1:
            return instr.result
        case "subtract" if args == [True, False]:
            return instr.result
        case "if" if not any(args):
            return _through_branch(instr, value)
        case "for" if sum(args) == 1 and sum(args[3:]) == 1:
            if any(a is value for b in instr.blocks for a in operands(b)):
                return None
            k = [a is value for a in inits(instr)].index(True)
            (body,) = instr.blocks
            if body.end.kind != "yield" or _leaves(body):
                return None
            p = body.params[1 + k]
            return instr.results[k] if _is_passed_on(body, p, body.end.args[k]) else None
    return None


def _leaves(block: Block) -> bool:
    """True if a trip may end before its end."""
    return any(
        b.end.kind in ("break", "continue") or _leaves(b)
        for i in block.instrs
        if i.op.name == "if"
        for b in i.blocks
    )


def _through_branch(instr: Instr, value: Value) -> Value | None:
    ends = [b for b in instr.blocks if b.end.kind == "yield"]
    if any(b.end.kind != "raise" for b in instr.blocks if b not in ends):
        return None
    if any(a is value for b in instr.blocks if b not in ends for a in operands(b)):
        return None
    for k, result in enumerate(instr.results):
        if all(_is_passed_on(b, value, b.end.args[k]) for b in ends):
            return result
    return None
