"""What a reverse sweep keeps of the forward sweep: arrays, the lines they come from and are kept for."""

from __future__ import annotations

from collections.abc import Iterable

from s2sad.errors import Origin
from s2sad.ir.core import Block, End, Function, Instr, Operand, Value
from s2sad.ir.loops import LOOPS
from s2sad.ir.op import Alias
from s2sad.ir.types import Array
from s2sad.ir.walk import free_values
from s2sad.record import dataclass


@dataclass(frozen=True, slots=True)
class Kept:
    """An array that the reverse sweep reads: where it is made, and the lines whose pullbacks read it."""

    value: Value
    origin: Origin | None
    lines: tuple[int, ...]


def kept(fn: Function) -> list[Kept]:
    """Return the arrays that the reverse sweep of a joint function reads; none of other functions. Of
    parameters nothing is kept: they are there."""
    cut = next((k for k, i in enumerate(fn.block.instrs) if i.param("text") == "reverse sweep"), None)
    if cut is None:
        return []
    makers = {r: i for i in fn.block.instrs[:cut] for r in i.results}
    after = Block((), fn.block.instrs[cut + 1 :], End("unreachable"))
    readings: dict[Value, list[Value]] = {}
    for v in free_values(after):
        root = _root(v, makers)
        if root in makers and isinstance(root.type, Array) and root.type.ndim:
            readings.setdefault(root, []).append(v)
    return [Kept(r, _made(r, makers), _readers(after, read)) for r, read in readings.items()]


def _root(v: Value, makers: dict[Value, Instr]) -> Value:
    """Return the value whose memory `v` is."""
    while v in makers and makers[v].op.alias is not Alias.FRESH:
        whole = makers[v].args[0]
        if not isinstance(whole, Value):
            break
        v = whole
    return v


def _made(v: Operand, makers: dict[Value, Instr]) -> Origin | None:
    """Return where an array is made; where it is filled, if that happens in a loop."""
    maker = makers.get(v) if isinstance(v, Value) else None
    if maker is None or maker.op.name not in LOOPS:
        return maker.origin if maker is not None else None
    body = maker.blocks[-1]
    inside = {r: i for i in body.instrs for r in i.results}
    if body.end.kind != "yield":
        return maker.origin
    return _made(body.end.args[maker.results.index(v)], inside) or maker.origin


def _readers(block: Block, values: Iterable[Value]) -> tuple[int, ...]:
    parts = set(values)
    lines: set[int] = set()
    for instr in block.walk():
        if any(a in parts for a in instr.args):
            if instr.op.alias is Alias.FRESH or instr.role == "reverse":
                lines |= {instr.origin.line} if instr.origin is not None else set()
            else:
                parts.update(instr.results)
    return tuple(sorted(lines))
