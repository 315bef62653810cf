"""What one trip of a loop reads and writes, and what any other trip may read and write of it."""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.ir.core import Block, Function, Instr, Operand, Value
from s2sad.ir.path import At, Index, Span
from s2sad.ir.types import Array
from s2sad.lowering.frames import Arrays
from s2sad.lowering.nests.affine import Forms, Linear
from s2sad.record import dataclass

READS, WRITES, ADDS = "reads", "writes", "adds"
Places = tuple[Linear | None, ...] | None
"""An index as forms, None for all or unknown places of a dimension; None: of unknown dimensions."""

ELEMENTS = ("getitem", "item0", "setitem", "accum")
MEMORY = ("empty", "zeros")
HARMLESS = ("size", "comment", *MEMORY)


class NotAlone(Exception):
    """A loop does more than compute and touch elements."""


@dataclass(frozen=True, slots=True)
class Touch:
    """A place of an array: `frame` is the array by its first name, or the view, that the index is of."""

    frame: Value
    array: Value
    kind: str
    places: Places
    tape: bool  # an entry of a tape


class Trip:
    """What a trip of a `for` loop touches. Raises NotAlone for a loop that leaves early, prints, draws, calls
    libraries, or calls a function that does or that writes arrays."""

    def __init__(self, arrays: Arrays, forms: Forms, loop: Instr) -> None:
        self.arrays, self.forms = arrays, forms
        self.views: dict[Value, tuple[Value, Places]] = {}
        self.touches: list[Touch] = []
        (self.body,) = loop.blocks
        self.index = self.body.params[0]
        self.inner: set[Value] = set(self.body.params)
        for instr in self.body.walk():
            self.inner.update(instr.results)
            for b in instr.blocks:
                self.inner.update(b.params)
        self.block(self.body, False)

    def block(self, block: Block, inside: bool) -> None:
        """Collect from a block; `inside`: of a loop in the trip."""
        fine = ("yield", "continue", "raise", "unreachable", *(("break",) if inside else ()))
        if block.end.kind not in fine:
            raise NotAlone
        for instr in block.instrs:
            self.instr(instr, inside)

    def instr(self, instr: Instr, inside: bool) -> None:
        """Collect from an instruction."""
        name = instr.op.name
        if name in ("for", "while", "if"):
            for b in instr.blocks:
                self.block(b, inside or name != "if")
        elif name in ("getitem", "item0") and isinstance(instr.result.type, Array):
            self.view(instr)
        elif name in ELEMENTS:
            first = 2 if name in ("setitem", "accum") else 1
            if instr.param("at") or (first == 2 and isinstance(instr.args[1].type, Array)):
                raise NotAlone
            kind = {"setitem": WRITES, "accum": ADDS}.get(name, READS)
            path = instr.param("path", ())
            if any(not isinstance(p, Index) or any(i != At() for i in p.items) for p in path):
                raise NotAlone
            self.touch(instr.args[0], kind, instr.args[first:], instr.role == "tape")
        elif name == "call":
            if not is_computation(instr.param("callee"), set()):
                raise NotAlone
            for a in instr.args:
                if isinstance(a.type, Array):
                    self.touch(a, READS, None)
        elif name not in HARMLESS:
            values = (*instr.args, *instr.results)
            if instr.blocks or not instr.op.pure or any(isinstance(a.type, Array) for a in values):
                raise NotAlone

    def view(self, instr: Instr) -> None:
        """Note a view, as a row of its array where it is one."""
        array = instr.args[0]
        assert isinstance(array, Value)
        path = instr.param("path")
        places: Places = None
        items = path[0].items if path is not None and len(path) == 1 and isinstance(path[0], Index) else ()
        count = sum(isinstance(i, At) for i in items)
        if count and all(isinstance(i, At) if k < count else i == Span() for k, i in enumerate(items)):
            places = tuple(map(self.forms.of, instr.args[1:]))
        self.views[instr.result] = array, places

    def touch(self, array: Operand, kind: str, index: Sequence[Operand] | None, tape: bool = False) -> None:
        """Note what an instruction does to an element, or to all of an array (index None)."""
        assert isinstance(array, Value)
        places: Places = ()
        if index is not None:
            places = tuple(map(self.forms.of, index))
        frame = self.arrays.frame(array)
        while frame in self.views:
            array, before = self.views[frame]
            places = None if before is None or places is None else (*before, *places)
            frame = self.arrays.frame(array)
        self.touches.append(Touch(frame, array, kind, places, tape))

    def is_alone(self, x: Touch, y: Touch) -> bool:
        """True if no two trips touch one element by these two touches."""
        if x.places is None or y.places is None or x.frame is not y.frame:
            return False
        for left, right in zip(x.places, y.places, strict=False):
            if left is None or right is None:
                continue
            k = left.factor(self.index)
            if not k or right.factor(self.index) != k:
                continue
            rest = left.without(self.index)
            gap = right.without(self.index) - rest  # never k times a number of trips but none
            is_known = gap.is_const and not any(a in self.inner for a in rest.atoms())
            if is_known and (gap.const == 0 or gap.const % k):
                return True
        return False


def is_computation(fn: Function, seen: set[Function]) -> bool:
    """True for a function that may run in any thread: it reads arrays and makes new ones."""
    if fn in seen:
        return True
    seen.add(fn)
    if fn.writes:
        return False
    for instr in fn.block.walk():
        name = instr.op.name
        if name == "call":
            if not is_computation(instr.param("callee"), seen):
                return False
        elif name not in (*ELEMENTS, *HARMLESS, "for", "while", "if"):
            values = (*instr.args, *instr.results)
            if not instr.op.pure or any(isinstance(a.type, Array) for a in values):
                return False
    return True
