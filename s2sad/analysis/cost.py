"""Rough costs, for choosing what to tape: one unit is a flop on one element."""

from __future__ import annotations

from s2sad.ir.core import Block, Instr, Literal
from s2sad.ir.op import ONCE, Alias, Kind
from s2sad.ir.size import Size
from s2sad.ir.types import Array, Scalar, Type

TYPICAL = 100  # assumed for every size that is not known
STORE = 6.0  # writing an element to a tape and reading it back
LOAD = 0.5  # reading an element of an array
BEHIND = 0.4  # how often the right side of an `and` is run


def elements(t: Type) -> float:
    """Return the assumed number of elements."""
    total = 1.0
    if isinstance(t, Array):
        for n in t.shape:
            total *= _assumed(n)
    return total


def _assumed(n: Size) -> float:
    value = n.evaluate(dict.fromkeys(n.symbols(), TYPICAL))
    return float(max(value if value is not None else TYPICAL, 1))


def store_cost(t: Type) -> float:
    """Return the cost of taping a value of this type once."""
    weight = 1.0 if t.dtype.itemsize >= 4 else 0.4
    return STORE * weight * elements(t)


def recompute_cost(instr: Instr) -> float | None:
    """Return the cost of running an instruction again, or None if that must not be done."""
    op = instr.op
    if op.kind is Kind.CONTROL:
        return _branches_cost(instr)
    if not op.pure or op.cost == ONCE:
        return None
    if _is_constant(instr):
        return 0.0
    size = max((elements(r.type) for r in instr.results), default=1.0)
    if op.alias is Alias.INPLACE:
        return LOAD + (elements(instr.args[1].type) if len(instr.args) > 1 else 1.0)
    if op.cost == 0:
        is_load = (
            instr.args and isinstance(instr.args[0].type, Array) and not isinstance(instr.result.type, Array)
        )
        return LOAD if is_load and op.name == "getitem" else 0.0
    if op.kind is Kind.BILINEAR:
        return max(op.cost, 1) * max(size, *(elements(a.type) for a in instr.args)) * 10.0
    read = max((elements(a.type) for a in instr.args), default=1.0)
    return op.cost * max(size, read if op.kind is Kind.REDUCTION else 1.0)


def _is_constant(instr: Instr) -> bool:
    """True for a number that is made of literals."""
    made = all(isinstance(r.type, Scalar) for r in instr.results)
    return made and bool(instr.args) and all(isinstance(a, Literal) for a in instr.args)


def _branches_cost(instr: Instr) -> float | None:
    if instr.op.name != "if":
        return None
    total = 0.0
    for block in instr.blocks:
        cost = _block_cost(block)
        if cost is None or block.end.kind != "yield":
            return None
        total += cost
    return BEHIND * total if _is_logical(instr) else 1.0 + total


def _is_logical(instr: Instr) -> bool:
    """True for `a and b`, `a or b`, `a < b < c`."""
    ends = [block.end.args for block in instr.blocks]
    return len(instr.results) == 1 and any(end[0] in (Literal(True), Literal(False)) for end in ends)


def _block_cost(block: Block) -> float | None:
    total = 0.0
    for instr in block.instrs:
        cost = recompute_cost(instr)
        if cost is None:
            return None
        total += cost
    return total
