"""Where compiled code looks whether a number of Python is divided by zero."""

from __future__ import annotations

from s2sad.ir.core import Block, Instr, Operand, Value
from s2sad.ir.loops import LOOPS
from s2sad.ir.types import Scalar

BY_ZERO = {"divide", "floor_divide", "remainder", "power"}


def checked_divisions(block: Block) -> set[Value]:
    """Return the quotients of Python's numbers of which the divisors are compared with zero. In counted loops
    this is left out for divisors that change: such a loop would have a way out, and not be vectorised. So
    it is for what a conditional expression of a derivative may not take."""
    found: set[Value] = set()
    _look(block, None, {}, _eager_values(block), found)
    return found


def _look(
    block: Block,
    loop: Instr | None,
    made: dict[Operand, Instr | None],
    eager: set[Operand],
    found: set[Value],
) -> None:
    for p in block.params:
        made[p] = loop
    for instr in block.instrs:
        inside = loop
        if instr.op.name in LOOPS:
            inside = instr if _is_counted(instr) else None
        for inner in instr.blocks:
            _look(inner, inside, made, eager, found)
        for result in instr.results:
            made[result] = loop
        if instr.op.name not in BY_ZERO or not all(_is_python(a) for a in instr.args):
            continue
        decisive = instr.args if instr.op.name == "power" else instr.args[1:]
        changes = loop is not None and any(made.get(a) is loop for a in decisive)
        if not changes and (not instr.role or instr.result in eager):
            found.add(instr.result)


def _is_counted(loop: Instr) -> bool:
    inner = [block for instr in loop.blocks[-1].every for block in instr.blocks]
    return loop.op.name == "for" and not any(block.end.kind in ("break", "return") for block in inner)


def _is_python(a: Operand) -> bool:
    return isinstance(a.type, Scalar) and a.type.weak


def _eager_values(block: Block) -> set[Operand]:
    """Return the values that are not only parts of what a conditional expression may not take."""
    eager: set[Operand] = set(block.end.args)
    for instr in block.every:
        for inner in instr.blocks:
            eager.update(inner.end.args)
    for instr in reversed(list(block.every)):
        is_scalar = len(instr.results) == 1 and isinstance(instr.result.type, Scalar)
        if is_scalar and instr.op.pure and instr.result not in eager:
            continue
        eager.update(instr.args[:1] if is_scalar and instr.op.name == "where" else instr.args)
    return eager
