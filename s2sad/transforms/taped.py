"""The reversal of a loop with tapes that it is given, so that they serve many such loops in turn."""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.ir.builder import Builder
from s2sad.ir.core import Function, Literal, Operand, Value
from s2sad.ir.size import Size
from s2sad.ir.types import WEAK_INT, Array, Type
from s2sad.ops.blocks import State
from s2sad.ops.table import OPS
from s2sad.passes.base import sizes_after
from s2sad.passes.sizes import Resolver
from s2sad.record import dataclass, replace
from s2sad.transforms.tape import Tape
from s2sad.transforms.transpose import call, flat


@dataclass(frozen=True, slots=True, eq=False)
class Taped:
    """The reversal of trips from the first index to before another: `fn` takes both, then as many parameters
    as the trips read, their seeds, and arrays for the tapes, which it returns behind the cotangents. A trip
    puts values of the types `entries` there; arrays need a row for each trip."""

    fn: Function
    entries: tuple[Type, ...]
    names: tuple[str, ...]

    def room(self, b: Builder, rows: Operand, args: State) -> tuple[Value, ...]:
        """Append the tapes, for trips that read `args`."""
        params = self.fn.params[2 : 2 + len(args)]
        count = Value("rows", WEAK_INT)
        scope, inner = Resolver(params), Builder(sizes_after(self.fn))
        made = []
        for t, name in zip(self.entries, self.names, strict=True):
            dims = (count, *(scope.operand(inner, n) for n in t.shape))
            made.append(inner.emit(OPS["empty"], *dims, name=name, dtype=t.dtype))
        fn = flat(self.fn, (count, *params), inner.block((), "return", *made))
        return call(b, fn, (rows, *args))

    def bytes(self, b: Builder, args: State) -> Operand:
        """Append the bytes of a trip's part of the tapes, and 8 more."""
        params = self.fn.params[2 : 2 + len(args)]
        scope, inner = Resolver(params), Builder(sizes_after(self.fn))
        total: Operand = Literal(8)
        for t in self.entries:
            size: Operand = Literal(t.dtype.itemsize)
            for n in t.shape:
                size = inner.emit(OPS["multiply"], size, scope.operand(inner, n))
            total = inner.emit(OPS["add"], total, size)
        fn = flat(self.fn, params, inner.block((), "return", total))
        return call(b, fn, args)[0]


def entries(tapes: Sequence[Tape], scope: Resolver) -> tuple[Type, ...]:
    """Return the types of what a trip puts on tapes; none if that is not known before the loop, or a loop
    inside has tapes, too."""
    types = [tape.value.type for tape in tapes]
    fixed = all(tape.kind == "indexed" and len(tape.loops) == 1 for tape in tapes)
    return tuple(types) if fixed and all(map(scope.knows_shape, types)) else ()


def of_any_length(tape: Tape) -> Tape:
    """Return a tape of one loop, with as many rows as it is given."""
    t = tape.cell.type
    shape = (Size.symbol("?"), *t.shape[1:])
    return replace(tape, cell=Value(tape.cell.name, Array(t.dtype, shape)))
