"""A value for names that may be unbound where they leave a function on a tape."""

from __future__ import annotations

from collections.abc import Iterable

from s2sad.analysis.unbound import maybe_unbound, undefs_of
from s2sad.ir.builder import Sizes
from s2sad.ir.core import Block, Instr, Literal, Operand, Value
from s2sad.ir.size import Size
from s2sad.ir.types import Array, Scalar
from s2sad.ir.walk import Copier
from s2sad.ops.table import OPS
from s2sad.record import replace

ZEROS = {"b": False, "i": 0, "u": 0, "f": 0.0, "c": 0j}


def define(block: Block, leaves: Iterable[Operand], sizes: Sizes) -> Block:
    """Return the block with every `undef` that one of the leaves may be replaced by a zero: for an array
    an empty one, and whatever it may be handed on as has a size known at run time only."""
    targets = undefs_of(block, leaves)
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
