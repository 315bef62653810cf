"""What a trip has just stored is not read back, and not stored twice.

After fusion an element is often written and read in the same block: the read becomes the value that was
written, and an array that nobody else reads disappears with the dead code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from s2sad.ir.core import Block, Function, Instr, Literal, Operand, Value
from s2sad.ir.types import Array, Scalar
from s2sad.lowering.nests.affine import Forms, Linear
from s2sad.lowering.ops import conversion_to
from s2sad.ops.table import OPS
from s2sad.passes.rewrite import Rewriter
from s2sad.record import replace

EXACT = (np.dtype(np.float64), np.dtype(np.complex128), np.dtype(bool), np.dtype(np.int64))
WRITES = ("setitem", "accum")


def forward(fn: Function) -> Function:
    """Return the function with stored elements handed on where they are known."""
    return _Forwarder(fn).function(fn)


class _Forwarder(Rewriter):
    def __init__(self, fn: Function) -> None:
        super().__init__()
        self.forms = Forms(fn.block)
        self.counts = fn.block.counts
        self.writes: dict[Value, Instr] = {}  # what made a version of an array
        self.narrow = any(
            v.type.dtype.char in "fF" for v in (*fn.params, *(r for i in fn.block.walk() for r in i.results))
        )
        self.summed = self.sums_read(fn)
        self.handed_on = set(_end_args(fn.block))

    def sums_read(self, fn: Function) -> set[Instr]:
        """Return the additions to elements that are read after them: there the sum is a scalar."""
        writes: dict[Value, Instr] = {}
        found: set[Instr] = set()
        for instr in fn.block.walk():
            if instr.op.name in WRITES and _is_element(instr):
                writes[instr.result] = instr
            elif instr.op.name == "getitem" and not isinstance(instr.result.type, Array):
                write = self.writer(instr, writes)
                if write is not None and write.op.name == "accum":
                    found.add(write)
        return found

    def visit(self, instr: Instr) -> Sequence[Instr]:
        new = self.inside(instr)
        if instr in self.summed and new.args[0].type.dtype in EXACT and not self.narrow:
            return self.as_sum(new)
        match new.op.name:
            case "getitem" if not isinstance(new.result.type, Array):
                found = self.stored(new)
                if found is not None and new.result in self.handed_on and found.type != new.result.type:
                    return (replace(new, op=conversion_to(new.result), args=(found,), params=()),)
                if found is not None:
                    self.replaced(new.result, found)
                    return ()
            case "setitem" | "accum" if _is_element(new):
                made, new = self.combined(new)
                self.writes[new.result] = new
                return (*made, new)
        return (new,)

    def index(self, instr: Instr) -> tuple[Linear, ...]:
        first = 1 if instr.op.name == "getitem" else 2
        return tuple(self.forms.of(a) for a in instr.args[first:])

    def as_sum(self, new: Instr) -> Sequence[Instr]:
        """Return `x[k] += v` as a read, an addition of scalars, and a write."""
        x, v, *index = new.args
        dtype = x.type.dtype
        before, total = Value("", Scalar(dtype)), Value("", Scalar(dtype))
        path = new.param("path")
        read = Instr(OPS["getitem"], (x, *index), (before,), (("path", path),), (), new.origin, new.role)
        add = Instr(OPS["add"], (before, v), (total,), (), (), new.origin, new.role)
        write = Instr(
            OPS["setitem"], (x, total, *index), new.results, (("path", path),), (), new.origin, new.role
        )
        return [i for part in (read, add, write) for i in self.visit(part)]

    def writer(self, read: Instr, writes: dict[Value, Instr]) -> Instr | None:
        """Return what wrote the element that is read, if it is known."""
        array = read.args[0]
        index = self.index(read)
        while isinstance(array, Value) and array in writes:
            write = writes[array]
            other = self.index(write)
            if other == index:
                return write
            if not _differ(index, other):
                return None
            array = write.args[0]
        return None

    def stored(self, read: Instr) -> Operand | None:
        """Return the value that an element has, if the same block or one around it wrote it."""
        write = self.writer(read, self.writes)
        if write is None or write.op.name != "setitem" or not self.fits(write):
            return None
        return write.args[1]

    def fits(self, write: Instr) -> bool:
        """True if what is stored is what would be read."""
        v, dtype = write.args[1].type, write.args[0].type.dtype
        if not isinstance(v, Scalar) or v.dtype != dtype:
            return False
        return not v.weak or (dtype in EXACT and not self.narrow)

    def combined(self, new: Instr) -> tuple[Sequence[Instr], Instr]:
        """Return a write, together with the one just before it where both are to one element."""
        array = new.args[0]
        first = self.writes.get(array) if isinstance(array, Value) else None
        if first is None or self.counts.get(first.result) != 1 or self.index(first) != self.index(new):
            return (), new
        if new.op.name == "setitem":
            return (), replace(new, args=(first.args[0], *new.args[1:]))
        v, w = first.args[1], new.args[1]
        if not new.role or not self.fits(first) or v.type.dtype != w.type.dtype or v.type.dtype.kind != "f":
            return (), new
        if v == Literal(0.0):
            return (), replace(first, args=(*first.args[:1], w, *first.args[2:]), results=new.results)
        total = Value("", Scalar(w.type.dtype))
        add = Instr(OPS["add"], (v, w), (total,), (), (), new.origin, new.role)
        self.forms.add(add)
        return (add,), replace(
            first, args=(*first.args[:1], total, *first.args[2:]), results=new.results, origin=new.origin
        )


def _end_args(block: Block) -> Iterator[Operand]:
    yield from block.end.args
    for instr in block.instrs:
        for b in instr.blocks:
            yield from _end_args(b)
        if instr.blocks:
            yield from instr.args


def _is_element(instr: Instr) -> bool:
    x = instr.args[0].type
    return isinstance(x, Array) and len(instr.args) - 2 == x.ndim and not instr.param("at")


def _differ(a: tuple[Linear, ...], b: tuple[Linear, ...]) -> bool:
    gaps = (x - y for x, y in zip(a, b, strict=True))
    return any(gap.is_const and gap.const for gap in gaps)
