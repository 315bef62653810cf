"""Loops that draw random numbers and are run again from snapshots: the first run keeps what it draws."""

from __future__ import annotations

from collections.abc import Iterable

from s2sad.ir.builder import Builder, Sizes
from s2sad.ir.core import Block, End, Instr, Literal, Operand, Value
from s2sad.ir.loops import at_loop_ends
from s2sad.ir.path import At, Index, Path, Span
from s2sad.ops.table import OPS
from s2sad.passes.sizes import Resolver, difference, trip_count
from s2sad.record import replace

DRAWS = ("draw", "seed")


def draws_in(block: Block) -> list[Instr]:
    """Return the draws of a block itself, not of those in it."""
    return [i for i in block.instrs if i.op.name == "draw"]


def why_not_recorded(loop: Instr, scope: Resolver) -> str:
    """Return why what a loop draws cannot be kept; nothing if it can, or if it draws nothing."""
    body = loop.blocks[-1]
    every = [i for block in loop.blocks for i in block.walk() if i.op.name in DRAWS]
    if not every:
        return ""
    if loop.op.name != "for":
        return "it draws random numbers, and the number of its trips is not known before it"
    if len(draws_in(body)) < len(every):
        return "it draws random numbers in a branch or in a loop inside"
    if not all(scope.knows_shape(i.result.type) for i in every):
        return "it draws arrays whose size is not known before it"
    return ""


def recorded(b: Builder, loop: Instr, scope: Resolver) -> tuple[Instr, Instr, list[Value]]:
    """Return a loop that writes what it draws to tapes, one that reads it there, and the tapes: they are more
    slots and results of the first. Appends the empty tapes."""
    body = loop.blocks[-1]
    draws = draws_in(body)
    if not draws:
        return loop, loop, []
    trips = trip_count(b, *loop.args[:3])
    empty, slots, tapes = [], [], []
    for draw in draws:
        t = draw.result.type
        name = f"{draw.result.name or 'draw'}_tape"
        dims = [trips, *(scope.operand(b, n) for n in t.shape)]
        empty.append(b.emit(OPS["empty"], *dims, name=name, dtype=t.dtype))
        slots.append(Value(name, empty[-1].type))
        tapes.append(Value(name, empty[-1].type))
    return _writing(loop, draws, slots, empty, tapes), _reading(loop, draws, tapes), tapes


def _writing(
    loop: Instr, draws: list[Instr], slots: list[Value], empty: list[Value], tapes: list[Value]
) -> Instr:
    body = loop.blocks[-1]
    instrs, k = _numbered(loop)
    latest = dict(zip(draws, slots, strict=True))
    for instr in body.instrs:
        if instr.op.name == "if":  # a way out hands on what has been written so far
            around = Block((), (instr,), End("unreachable", ()))
            instr = at_loop_ends(around, lambda block: _handing_on(block, latest.values())).instrs[0]
        instrs.append(instr)
        if instr in latest:
            slot = latest[instr]
            latest[instr] = Value(slot.name, slot.type)
            path = (("path", _row(instr)),)
            args = (slot, instr.result, k)
            instrs.append(Instr(OPS["setitem"], args, (latest[instr],), path, (), loop.origin, "tape"))
    block = _handing_on(Block((*body.params, *slots), tuple(instrs), body.end), latest.values())
    results = (*loop.results, *tapes)
    return replace(loop, args=(*loop.args, *empty), blocks=(*loop.blocks[:-1], block), results=results)


def _handing_on(block: Block, more: Iterable[Value]) -> Block:
    return replace(block, end=replace(block.end, args=(*block.end.args, *more)))


def _reading(loop: Instr, draws: list[Instr], tapes: list[Value]) -> Instr:
    body = loop.blocks[-1]
    instrs, k = _numbered(loop)
    of = dict(zip(draws, tapes, strict=True))
    for instr in body.instrs:
        if instr in of:
            path = (("path", _row(instr)),)
            instr = Instr(OPS["getitem"], (of[instr], k), instr.results, path, (), loop.origin)
        instrs.append(instr)
    block = Block(body.params, tuple(instrs), body.end)
    return replace(loop, blocks=(*loop.blocks[:-1], block))


def _numbered(loop: Instr) -> tuple[list[Instr], Operand]:
    """Return the number of the trip, from 0, and what computes it."""
    b = Builder(Sizes(), loop.origin)
    lo, _, step = loop.args[:3]
    k = loop.blocks[-1].params[0]
    done: Operand = difference(b, lo, k) if step == Literal(-1) else difference(b, k, lo)
    if step not in (Literal(1), Literal(-1)):
        done = b.emit(OPS["floor_divide"], done, step)
    return b.instrs, done


def _row(draw: Instr) -> Path:
    return (Index((At(), *(Span() for _ in range(draw.result.type.ndim)))),)
