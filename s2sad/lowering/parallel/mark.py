"""Which loops may run in several threads.

The trips of such a loop are independent: what one writes no other touches. There are exceptions, for which
threads have memory of their own: numbers and arrays that trips only add to (each thread has a sum, and these
are added up in the order of the trips), and arrays that a trip fills before it reads them or leaves filled
with zeros. That two trips touch different elements is told from the forms of the indices: multiples of the
loop's index by one factor, plus what is the same in all trips (Banerjee 1988, "Dependence analysis for
supercomputing", chapter 4).

Outermost loops are marked; which of them have enough to do is known when they run (`outline.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.ir.core import Block, Function, Instr, Literal, Value
from s2sad.ir.loops import MARK, OWN, SHARED, SUM, loop_ends
from s2sad.ir.types import Array
from s2sad.lowering.frames import Arrays
from s2sad.lowering.nests.affine import Forms
from s2sad.lowering.nests.fuse import may_raise
from s2sad.lowering.nests.scratch import begins_with_writes, ends_with_zeros
from s2sad.lowering.parallel.sums import is_sum
from s2sad.lowering.parallel.touches import ADDS, READS, NotAlone, Touch, Trip
from s2sad.ops.table import OPS
from s2sad.passes.rewrite import Rewriter
from s2sad.record import replace


def kinds_of(loop: Instr) -> tuple[str, ...] | None:
    """Return what threads do with the slots of a marked loop; None for another."""
    found: tuple[str, ...] | None = loop.param(MARK)
    return found if found is not None and len(found) == len(loop.results) else None


def mark_parallel(fn: Function) -> Function:
    """Return the program with its outermost loops of independent trips marked, and a comment before each.
    What is called in such a loop has none."""
    return _Program(fn).of(fn)


class _Program(Rewriter):
    """Puts functions in place of the functions that are called."""

    def __init__(self, fn: Function) -> None:
        super().__init__()
        self.marked: dict[Function, Function] = {}
        self.plain: set[Function] = set()  # called in a marked loop
        self.done: dict[Function, Function] = {}
        self.mark(fn)

    def mark(self, fn: Function) -> None:
        marker = _Marker(fn)
        self.marked[fn] = replace(fn, block=marker.block(fn.block))
        for callee in _called(fn.block):
            if callee not in self.marked:
                self.mark(callee)
        for loop in self.marked[fn].block.walk():
            if kinds_of(loop) is not None:
                self.leave(loop.blocks[0])

    def leave(self, block: Block) -> None:
        """Note the functions that a block comes to as such that have no marks."""
        for callee in _called(block):
            if callee not in self.plain:
                self.plain.add(callee)
                self.leave(callee.block)

    def of(self, fn: Function) -> Function:
        """Return what stands for a function."""
        if fn not in self.done:
            self.done[fn] = self.function(fn if fn in self.plain else self.marked[fn])
        return self.done[fn]

    def visit(self, instr: Instr) -> Sequence[Instr]:
        """Return a call of what stands for the function called."""
        new = self.inside(instr)
        if new.op.name == "call":
            callee = self.of(new.param("callee"))
            new = replace(new, params=tuple((k, callee if k == "callee" else v) for k, v in new.params))
        return (new,)


def _called(block: Block) -> list[Function]:
    return [i.param("callee") for i in block.walk() if i.op.name == "call"]


class _Marker:
    def __init__(self, fn: Function) -> None:
        self.arrays, self.forms = Arrays(fn), Forms(fn.block)
        self.counts = fn.block.counts
        self.writes_parameters = bool(fn.writes)

    def block(self, block: Block) -> Block:
        """Return a block with the outermost of its loops marked."""
        instrs: list[Instr] = []
        for instr in block.instrs:
            kinds = self.kinds(instr) if instr.op.name == "for" else None
            if kinds is not None:
                instrs.append(_comment(instr, kinds))
                instr = replace(instr, params=(*instr.params, (MARK, kinds)))
            elif instr.blocks:
                blocks = tuple(map(self.block, instr.blocks))
                if any(a is not b for a, b in zip(blocks, instr.blocks, strict=True)):
                    instr = replace(instr, blocks=blocks)
            instrs.append(instr)
        same = len(instrs) == len(block.instrs)
        if same and all(a is b for a, b in zip(instrs, block.instrs, strict=True)):
            return block
        return Block(block.params, tuple(instrs), block.end)

    def kinds(self, loop: Instr) -> tuple[str, ...] | None:
        """Return what threads do with the slots of a loop; None if its trips are not independent."""
        step = loop.args[2]
        if not isinstance(step, Literal) or not step.value or loop.blocks[0].end.kind != "yield":
            return None
        if self.writes_parameters and any(map(may_raise, (loop, *loop.blocks[0].walk()))):
            return None  # trips behind the one that raises would have written to the caller's arrays
        try:
            trip = Trip(self.arrays, self.forms, loop)
        except NotAlone:
            return None
        found: list[str] = []
        written: set[Value] = set()
        for k, r in enumerate(loop.results):
            kind = self.of_array(loop, trip, k) if isinstance(r.type, Array) else self.of_scalar(loop, k)
            if kind is None:
                return None
            found.append(kind)
            if isinstance(r.type, Array):
                root = self.root(loop, k)
                if root is None or root in written:
                    return None
                written.add(root)
        for t in trip.touches:  # nothing is written by another name
            roots = self.arrays.origins(t.array) - trip.inner
            if t.kind != READS and not roots <= written:
                return None
        return tuple(found) if found else None

    def of_scalar(self, loop: Instr, k: int) -> str | None:
        return SUM if is_sum(loop, k) else None

    def root(self, loop: Instr, k: int) -> Value | None:
        """Return the only array that a slot may be, in all trips."""
        (body,) = loop.blocks
        p, init = body.params[1 + k], loop.args[3 + k]
        roots = self.arrays.origins(p)
        frame = self.arrays.frame(init)
        if len(roots) != 1 or any(self.arrays.frame(e.args[k]) is not frame for e in loop_ends(body)):
            return None
        if not roots.isdisjoint(self.arrays.turned):
            return None
        (root,) = roots
        return root

    def of_array(self, loop: Instr, trip: Trip, k: int) -> str | None:
        root = self.root(loop, k)
        if root is None or root in trip.inner:
            return None
        frame = self.arrays.frame(loop.args[3 + k])
        touches = [t for t in dict.fromkeys(trip.touches) if root in self.arrays.origins(t.array)]
        if _are_alone(trip, touches):
            return SHARED
        if any(t.frame is not frame for t in touches if t.kind != READS):
            return None
        is_number = loop.results[k].type.dtype.kind in "iuf"
        if is_number and all(t.kind == ADDS and t.frame is frame for t in touches):
            return SUM
        return OWN if self.is_scratch(loop, k, touches) else None

    def is_scratch(self, loop: Instr, k: int, touches: list[Touch]) -> bool:
        """True for an array that a trip finds as if it were the only one, which nobody sees afterwards."""
        (body,) = loop.blocks
        init, p = loop.args[3 + k], body.params[1 + k]
        made = self.forms.maker.get(init) if isinstance(init, Value) else None
        if made is None or made.op.name not in ("empty", "zeros") or self.counts.get(made.result) != 1:
            return False
        if self.counts.get(loop.results[k]):
            return False
        if all(t.tape for t in touches) and any(t.kind == READS for t in touches):
            return True  # a reverse sweep reads of a tape what this very trip has written
        if made.op.name == "zeros" and ends_with_zeros(self.forms, body, p, made):
            return True
        return begins_with_writes(self.forms, body, p, made)


def _are_alone(trip: Trip, touches: list[Touch]) -> bool:
    return all(
        trip.is_alone(x, y)
        for n, x in enumerate(touches)
        for y in touches[n:]
        if x.kind != READS or y.kind != READS
    )


def _comment(loop: Instr, kinds: tuple[str, ...]) -> Instr:
    sums = [r.name for r, kind in zip(loop.results, kinds, strict=True) if kind == SUM and r.name]
    text = "parallel" + (f": sums of {', '.join(sums)}" if sums else "")
    return Instr(OPS["comment"], (), (), (("text", text),), (), loop.origin, loop.role)
