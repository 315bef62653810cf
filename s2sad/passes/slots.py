"""Removing slots: results of `if`, and carried values of loops with their parameters and yields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress

from s2sad.ir.core import Block, End, Instr, Value
from s2sad.record import replace

Flags = Sequence[bool]


def drop_slots(instr: Instr, live: Flags) -> Instr:
    """Return an `if`, `for` or `while` with only the slots whose flag in `live` is set. Ends inside
    that carry the slots are cut accordingly."""
    results = tuple(compress(instr.results, live))
    match instr.op.name:
        case "if":
            blocks = tuple(_cut(b, {"yield": live}) for b in instr.blocks)
            return replace(instr, results=results, blocks=blocks)
        case "for":
            (body,) = instr.blocks
            args = (*instr.args[:3], *compress(instr.args[3:], live))
            params = (body.params[0], *compress(body.params[1:], live))
            return replace(instr, args=args, results=results, blocks=(_cut_body(body, params, live),))
        case _:
            cond, body = instr.blocks
            test = Block(tuple(compress(cond.params, live)), cond.instrs, cond.end)
            body = _cut_body(body, tuple(compress(body.params, live)), live)
            args = tuple(compress(instr.args, live))
            return replace(instr, args=args, results=results, blocks=(test, body))


def _cut_body(body: Block, params: tuple[Value, ...], live: Flags) -> Block:
    cut = _cut(body, dict.fromkeys(("yield", "break", "continue"), live))
    return replace(cut, params=params)


def _cut(block: Block, flags: Mapping[str, Flags]) -> Block:
    inner = {kind: live for kind, live in flags.items() if kind != "yield"}
    instrs = block.instrs
    if inner:
        instrs = tuple(
            replace(i, blocks=tuple(_cut(b, inner) for b in i.blocks)) if i.op.name == "if" else i
            for i in instrs
        )
    return Block(block.params, instrs, _cut_end(block.end, flags))


def _cut_end(end: End, flags: Mapping[str, Flags]) -> End:
    return replace(end, args=tuple(compress(end.args, flags[end.kind]))) if end.kind in flags else end
