"""Integers that grow by the same amount in every trip are computed from the trip's index: `p += 1` beside
`for i in range(n)` makes p a form in i, which checks of indices and the other passes see through."""

from __future__ import annotations

from s2sad.ir.core import Block, Function, Instr, Literal, Operand, Value
from s2sad.ir.loops import loop_ends
from s2sad.ir.types import Scalar
from s2sad.ir.walk import substitute
from s2sad.lowering.code import ONE, ZERO
from s2sad.lowering.nests.affine import is_integer
from s2sad.lowering.nests.order import DOWN, UP
from s2sad.lowering.ops import LOWERED
from s2sad.ops.table import OPS
from s2sad.record import replace


def from_index(fn: Function) -> Function:
    """Return the function with such integers computed, where a trip reads them."""
    return replace(fn, block=_block(fn.block))


def _block(block: Block) -> Block:
    instrs: list[Instr] = []
    for instr in block.instrs:
        if instr.blocks:
            instr = replace(instr, blocks=tuple(map(_block, instr.blocks)))
        instrs += _loop(instr) if instr.op.name == "for" else (instr,)
    return Block(block.params, tuple(instrs), block.end)


def _loop(loop: Instr) -> list[Instr]:
    (body,) = loop.blocks
    if loop.args[2] not in (UP, DOWN) or [e for e in loop_ends(body) if e is not body.end]:
        return [loop]
    counts = body.counts
    inside = {r for i in body.instrs for r in i.results} | set(body.params)
    makers = {r: i for i in body.instrs for r in i.results}
    found: list[tuple[int, Operand]] = []
    for k, p in enumerate(body.params[1:]):
        step = _step(p, body.end.args[k], makers)
        is_python = isinstance(p.type, Scalar) and p.type.weak  # and so is what is computed
        if is_python and step is not None and step not in inside and counts.get(p, 0) > 1:
            found.append((k, step))
    return _computed(loop, found) if found else [loop]


def _step(p: Value, after: Operand, makers: dict[Value, Instr]) -> Operand | None:
    """Return what a carried integer grows by."""
    maker = makers.get(after) if isinstance(after, Value) else None
    if maker is None or maker.op.name != "add" or not is_integer(p) or not all(map(is_integer, maker.args)):
        return None
    a, b = maker.args
    return b if a is p else a if b is p else None


def _computed(loop: Instr, found: list[tuple[int, Operand]]) -> list[Instr]:
    (body,) = loop.blocks
    lo, hi, way = loop.args[:3]
    head, tail = _Code(loop), _Code(loop)
    trip = (
        head.number("subtract", body.params[0], lo)
        if way == UP
        else head.number("subtract", lo, body.params[0])
    )
    span = tail.number("subtract", hi, lo) if way == UP else tail.number("subtract", lo, hi)
    trips = tail.number("at_least", span, ZERO)
    values: dict[Value, Operand] = {}
    for k, step in found:
        init = loop.args[3 + k]
        values[body.params[1 + k]] = head.number("add", init, head.number("multiply", trip, step))
        tail.number("add", init, tail.number("multiply", trips, step), result=loop.results[k])
    gone = {k for k, _ in found}
    kept = [k for k in range(len(loop.results)) if k not in gone]
    inner = substitute(Block((), body.instrs, body.end), values)
    block = Block(
        (body.params[0], *(body.params[1 + k] for k in kept)),
        (*head.instrs, *inner.instrs),
        replace(inner.end, args=tuple(inner.end.args[k] for k in kept)),
    )
    args = (lo, hi, way, *(loop.args[3 + k] for k in kept))
    return [
        replace(loop, args=args, results=tuple(loop.results[k] for k in kept), blocks=(block,)),
        *tail.instrs,
    ]


class _Code:
    """Integer arithmetic, appended."""

    def __init__(self, loop: Instr) -> None:
        self.loop = loop
        self.instrs: list[Instr] = []

    def number(self, name: str, a: Operand, b: Operand, result: Value | None = None) -> Operand:
        """Return the result of an operation."""
        if result is None and (name, b) in (("multiply", ONE), ("add", ZERO), ("subtract", ZERO)):
            return a
        if result is None and isinstance(a, Literal) and isinstance(b, Literal):
            x, y = int(a.value.real), int(b.value.real)
            return Literal({"add": x + y, "subtract": x - y, "multiply": x * y, "at_least": max(x, y)}[name])
        value = result or Value("", Scalar(self.loop.blocks[0].params[0].type.dtype, weak=True))
        op = LOWERED[name] if name in LOWERED else OPS[name]
        self.instrs.append(Instr(op, (a, b), (value,), (), (), self.loop.origin, self.loop.role))
        return value
