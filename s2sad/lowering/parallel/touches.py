"""What one trip of a loop reads and writes, and what any other trip may read and write of it."""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.ir.core import Block, Function, Instr, Operand, Value, returns
from s2sad.ir.loops import inits, loop_ends
from s2sad.ir.path import At, Index, Span
from s2sad.ir.types import Array
from s2sad.lowering.nests.affine import Forms, Linear
from s2sad.lowering.overlap import Roots, Storage
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


class _Storage(Storage):
    """Knows of called functions whether they return new arrays."""

    def _instr(self, instr: Instr) -> None:
        if instr.op.name == "call" and returns_new_arrays(instr.param("callee")):
            for result in instr.results:
                self._set(result)
        else:
            super()._instr(instr)


def returns_new_arrays(fn: Function) -> bool:
    """True if what a function returns shares no memory with its arguments or another result."""
    storage = Storage(fn)
    seen: set[Value] = set(fn.params)
    for end in returns(fn.block):
        for a in end.args:
            if isinstance(a, Value) and isinstance(a.type, Array):
                roots = storage.origins(storage.roots(a))
                if not roots.isdisjoint(seen):
                    return False
                seen |= roots
    return True


class Arrays:
    """The arrays of a function: their memory and their first names."""

    def __init__(self, fn: Function) -> None:
        self.storage = _Storage(fn)
        self.forms = Forms(fn.block)
        self.before: dict[Value, Operand] = {}  # the version before an update
        self.known: dict[Value, Roots] = {}
        joins = [j for instr in fn.block.walk() for j in self.note(instr)]
        while True:  # what may be one of several arrays has a name of its own
            bad = [j for j in joins if len({self.frame(a) for a in j[1]}) > 1]
            if not bad:
                break
            joins = [j for j in joins if j not in bad]
            for names, _ in bad:
                for name in names:
                    del self.before[name]
        self.turned: set[Value] = set()  # memory of which a view gets another name
        for block in (fn.block, *(b for i in fn.block.walk() for b in i.blocks)):
            handed = block.end.args if block.end.kind != "return" else ()
            for a in (*handed, *(a for i in block.instrs if i.blocks for a in i.args)):
                if isinstance(a.type, Array) and self.frame(a) not in self.origins(a):
                    self.turned |= self.origins(a)

    def note(self, instr: Instr) -> list[tuple[list[Value], list[Operand]]]:
        """Note which values are versions of one array. Return names that stand for one of several values."""
        match instr.op.name:
            case "setitem" | "accum":
                self.before[instr.result] = instr.args[0]
                return []
            case "for" | "while":
                params = [b.params[-len(instr.results) :] if instr.results else () for b in instr.blocks]
                ends = loop_ends(instr.blocks[-1])
                first = inits(instr)
            case "if":
                params, first = [], ()
                ends = [b.end for b in instr.blocks if b.end.kind == "yield"]
            case _:
                return []
        joins = []
        for k, r in enumerate(instr.results):
            if isinstance(r.type, Array):
                names = [r, *(p[k] for p in params)]
                values = [*first[k : k + 1], *(e.args[k] for e in ends)]
                self.before.update(dict.fromkeys(names, values[0]))
                joins.append((names, values))
        return joins

    def frame(self, array: Operand) -> Value:
        """Return the first name of an array."""
        while isinstance(array, Value) and array in self.before:
            array = self.before[array]
        assert isinstance(array, Value)
        return array

    def origins(self, array: Operand) -> Roots:
        """Return the allocations and parameters that an array may be."""
        assert isinstance(array, Value)
        if array not in self.known:
            self.known[array] = self.storage.origins(self.storage.roots(array))
        return self.known[array]


class Trip:
    """What a trip of a `for` loop touches. Raises NotAlone for a loop that leaves early, prints, draws, calls
    libraries, or calls a function that does or that writes arrays."""

    def __init__(self, arrays: Arrays, loop: Instr) -> None:
        self.arrays = arrays
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
            places = tuple(map(self.arrays.forms.of, instr.args[1:]))
        self.views[instr.result] = array, places

    def touch(self, array: Operand, kind: str, index: Sequence[Operand] | None, tape: bool = False) -> None:
        """Note what an instruction does to an element, or to all of an array (index None)."""
        assert isinstance(array, Value)
        places: Places = ()
        if index is not None:
            places = tuple(map(self.arrays.forms.of, index))
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
