"""Unbound names: what may be one, and a value for those that leave a function on a tape."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from s2sad.analysis.activity import LOOPS, carried, inits
from s2sad.ir.builder import Sizes
from s2sad.ir.core import Block, Instr, Literal, Operand, Value
from s2sad.ir.size import Size
from s2sad.ir.types import Array, Scalar
from s2sad.ir.walk import Copier
from s2sad.ops.table import OPS
from s2sad.passes.rewrite import loop_ends

ZEROS = {"b": False, "i": 0, "u": 0, "f": 0.0, "c": 0j}


def define(block: Block, leaves: Iterable[Operand], sizes: Sizes) -> Block:
    """Return the block with every `undef` that one of the leaves may be replaced by a zero: for an array
    an empty one, and whatever it may be handed on as has a size known at run time only."""
    targets = _undefined(block, leaves)
    if not targets:
        return block
    unsized = maybe_unbound(block, targets)
    return _Unsizing(sizes, unsized).block(_replaced(block, targets))


class _Unsizing(Copier):
    """Copies a block; the sizes of some arrays become unknown. All other symbols stay."""

    def __init__(self, sizes: Sizes, unsized: set[Value]):
        super().__init__(sizes)
        self.unsized = unsized

    def size(self, s: Size) -> Size:
        return s

    def define(self, v: Value) -> Value:
        if v not in self.unsized or not isinstance(v.type, Array):
            return super().define(v)
        self.map[v] = new = Value(v.name, without_known_sizes(v.type, self.sizes))
        return new


def without_known_sizes(t: Array, sizes: Sizes) -> Array:
    """Return the type with sizes known at run time only."""
    return Array(t.dtype, tuple(sizes.fresh() for _ in t.shape))


def _undefined(block: Block, leaves: Iterable[Operand]) -> set[Instr]:
    """Return the `undef` instructions that reach the leaves through joins of control flow."""
    made: dict[Value, tuple[Instr, int]] = {}
    slots: dict[Value, tuple[Instr, int]] = {}
    for instr in block.walk():
        made.update((r, (instr, k)) for k, r in enumerate(instr.results))
        if instr.op.name in LOOPS:
            slots.update((p, (instr, k)) for k, p in enumerate(carried(instr)))
    found: set[Instr] = set()
    seen: set[Operand] = set()
    todo = list(leaves)
    while todo:
        a = todo.pop()
        if a in seen or not isinstance(a, Value):
            continue
        seen.add(a)
        place = made.get(a) or slots.get(a)
        if place is None:
            continue
        instr, k = place
        if instr.op is OPS["undef"]:
            found.add(instr)
        elif instr.op.name == "if":
            todo += (b.end.args[k] for b in instr.blocks if b.end.kind == "yield")
        elif instr.op.name in LOOPS:
            todo += (inits(instr)[k], *(end.args[k] for end in loop_ends(instr.blocks[-1])))
    return found


def _replaced(block: Block, targets: set[Instr]) -> Block:
    instrs = []
    for instr in block.instrs:
        if instr in targets:
            instrs.append(_zero(instr))
        elif instr.blocks:
            blocks = tuple(_replaced(b, targets) for b in instr.blocks)
            instrs.append(replace(instr, blocks=blocks))
        else:
            instrs.append(instr)
    return Block(block.params, tuple(instrs), block.end)


def _zero(instr: Instr) -> Instr:
    t = instr.result.type
    if isinstance(t, Array):
        dims = (Literal(0),) * t.ndim
        return replace(instr, op=OPS["empty"], args=dims, params=(("dtype", t.dtype),))
    zero = Literal(ZEROS[t.dtype.kind])
    return replace(instr, op=OPS["widen"], args=(zero,), params=(("type", Scalar(t.dtype, t.weak)),))


def maybe_unbound(block: Block, undefs: set[Instr] | None = None) -> set[Value]:
    """Return the values that are `undef` on some path (one of `undefs`, if given): what their types say
    holds on the others only."""
    found: set[Value] = set()
    before = -1
    while before != len(found):
        before = len(found)
        for instr in block.walk():
            if instr.op.name == "undef" and (undefs is None or instr in undefs):
                found.update(instr.results)
            _join(instr, found)
    return found


def _join(instr: Instr, found: set[Value]) -> None:
    for row in _rows(instr):
        for k, a in enumerate(row):
            if a in found:
                found.add(instr.results[k])
                if instr.op.name in LOOPS:
                    found.update(b.params[k + (instr.op.name == "for")] for b in instr.blocks)


def _rows(instr: Instr) -> list[tuple[Operand, ...]]:
    """Return what the results of an instruction with blocks can be."""
    if instr.op.name in LOOPS:
        return [inits(instr), *(end.args for end in loop_ends(instr.blocks[-1]))]
    return [b.end.args for b in instr.blocks if b.end.kind == "yield"]
