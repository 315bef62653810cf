"""Where taped values live: arrays indexed by the trip counters of the loops around the value, or growing
arrays with a cursor where the number of trips or a size is not known beforehand."""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.analysis.ranges import index_range, slope_in
from s2sad.ir.core import Instr, Value
from s2sad.ir.path import At, Index, Path, Span
from s2sad.ir.size import Size
from s2sad.ir.types import INT, Array, Scalar, Type
from s2sad.passes.sizes import Resolver, trips_size
from s2sad.record import dataclass

FIRST_LENGTH = 16  # of a growing tape


@dataclass(frozen=True, slots=True, eq=False)
class Tape:
    """One taped value. kind `indexed`: one axis per loop of `loops`, `sizes` long; `growing`: one axis,
    the cursor of the innermost loop; `flat`: the elements one after the other, with the shapes taped by
    themselves. `cell` stands for the tape array as it changes; `at` is the loop before which it is made."""

    value: Value
    cell: Value
    cursor: Value | None  # of a flat tape, in elements
    kind: str
    loops: tuple[Instr, ...]
    sizes: tuple[Size, ...]

    @property
    def at(self) -> Instr:
        """Return the outermost loop around the value."""
        return self.loops[0]

    @property
    def path(self) -> Path:
        """Return the path of one entry in the tape."""
        if self.kind == "flat":
            return (Index((Span(lo=True, hi=True),)),)
        axes = len(self.loops) if self.kind == "indexed" else 1
        return (Index((At(),) * axes + (Span(),) * self.value.type.ndim),)


def make_tape(v: Value, name: str, loops: Sequence[Instr], scope: Resolver) -> Tape:
    """Return the tape for a value in the frame of the last of `loops` (outermost first); `scope` knows
    what can be computed before the first."""
    t = v.type
    counts = _counts(loops, scope)
    fixed = all(scope.knows(n) for n in t.shape)
    if counts is not None and fixed:
        shape = (*counts, *t.shape)
        return Tape(v, Value(name, Array(t.dtype, shape)), None, "indexed", tuple(loops), shape)
    if fixed:
        shape = (Size.symbol("?"), *t.shape)
        return Tape(v, Value(name, Array(t.dtype, shape)), None, "growing", tuple(loops), t.shape)
    cursor = Value("offset", Scalar(INT, weak=True))
    return Tape(v, Value(name, Array(t.dtype, (Size.symbol("?"),))), cursor, "flat", tuple(loops), ())


def _counts(loops: Sequence[Instr], scope: Resolver) -> tuple[Size, ...] | None:
    """Return bounds of the trip counts of all loops that are known before the first of them."""
    found: list[Size] = []
    for loop in loops:
        if loop.op.name != "for":
            return None
        n = trips_size(*loop.args[:3])
        bounded = None if n is None else _bounded(n, loops, scope)
        if bounded is None:
            return None
        found.append(bounded)
    return tuple(found)


def _bounded(n: Size, loops: Sequence[Instr], scope: Resolver) -> Size | None:
    """Return the largest value of `n` over the trips of the loops, as a size known before them."""
    for loop in reversed(loops):
        if scope.knows(n):
            return n
        if loop.op.name != "for":
            return None
        ends = index_range(loop)
        if ends is None:
            return None
        symbol, low, high = ends
        if symbol not in n.symbols():
            continue
        slope = slope_in(n, symbol)
        if slope is None:
            return None
        n = n.substitute({symbol: high if slope > 0 else low})
    return n if scope.knows(n) else None


def storable(t: Type) -> bool:
    """Return True if values of this type can be taped."""
    return t.dtype.kind in "fciub"
