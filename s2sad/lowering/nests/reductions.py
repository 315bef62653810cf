"""Sums that a loop accumulates and does not look at: their terms may be added in any order."""

from __future__ import annotations

from collections.abc import Mapping

from s2sad.ir.core import Block, Instr, Value
from s2sad.ir.types import Scalar


def running_sums(loop: Instr) -> dict[Value, list[Instr]]:
    """Return the scalar slots of a `for` loop that are sums, by their parameters: what is only added to,
    in the order of the body, and read nowhere else in the loop; with the additions."""
    (body,) = loop.blocks
    slots = [
        (k, p)
        for k, p in enumerate(body.params[1:])
        if isinstance(p.type, Scalar) and p.type.dtype.kind in "fc"
    ]
    if body.end.kind != "yield" or not slots:
        return {}
    counts = body.counts
    chains = ((p, _chain(body, p, k, counts)) for k, p in slots)
    return {p: adds for p, adds in chains if adds}


def _chain(body: Block, p: Value, k: int, counts: Mapping[Value, int]) -> list[Instr]:
    adds: list[Instr] = []
    value = p
    for instr in body.instrs:
        if value not in instr.args and not any(value in i.args for b in instr.blocks for i in b.walk()):
            continue
        if counts.get(value) != 1 or instr.blocks or not _adds(instr, value):
            return []
        adds.append(instr)
        value = instr.result
    return adds if body.end.args[k] is value and counts.get(value) == 1 else []


def _adds(instr: Instr, value: Value) -> bool:
    if instr.op.name == "subtract":
        return instr.args[0] is value
    return instr.op.name == "add"
