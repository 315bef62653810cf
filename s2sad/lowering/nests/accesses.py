"""What loops read and write: elements of arrays, by their indices."""

from __future__ import annotations

from collections.abc import Sequence, Set

from s2sad.ir.core import Block, Function, Instr, Operand, Value
from s2sad.ir.types import Array
from s2sad.lowering.frames import Arrays
from s2sad.lowering.nests.affine import Forms, Linear
from s2sad.lowering.nests.order import DOWN, UP
from s2sad.record import dataclass


@dataclass(frozen=True, slots=True)
class Access:
    """An element that a loop's body reads or writes: where it is known, its index."""

    value: Value
    is_write: bool
    adds: bool  # by `+=` of generated code
    index: tuple[Linear, ...] | None
    tape: bool  # an entry of a tape


class Accesses:
    """The accesses of a function's loops, and which of them meet."""

    def __init__(self, fn: Function, forms: Forms) -> None:
        self.arrays, self.forms = Arrays(fn), forms
        self.known: dict[Instr, list[Access] | None] = {}
        self.shared: dict[tuple[Value, Value], tuple[Value, Value, bool, bool]] = {}

    def of(self, loop: Instr) -> list[Access] | None:
        """Return what a loop touches; None if it does more than read and write elements."""
        if loop not in self.known:
            step = loop.args[2]
            plain = step in (UP, DOWN)
            found: list[Access] = []
            self.known[loop] = found if plain and self._collect(loop.blocks[0], found) else None
        return self.known[loop]

    def _collect(self, block: Block, found: list[Access], inside: bool = False) -> bool:
        leaves = ("yield", "break", "continue", "raise") if inside else ("yield", "raise")
        if block.end.kind not in leaves:
            return False
        for instr in block.instrs:
            match instr.op.name:
                case "for" | "while":
                    if not all(self._collect(b, found, True) for b in instr.blocks):
                        return False
                case "if":
                    if not all(self._collect(b, found, inside) for b in instr.blocks):
                        return False
                case "getitem" | "item0":
                    if isinstance(instr.result.type, Array):
                        return False
                    found.append(self._access(instr, instr.args[0], instr.args[1:]))
                case "setitem" | "accum":
                    found.append(self._access(instr, instr.args[0], instr.args[2:]))
                case "size" | "comment" | "empty":
                    pass
                case _:
                    values = (*instr.args, *instr.results)
                    if instr.blocks or not instr.op.pure or any(isinstance(a.type, Array) for a in values):
                        return False
        return True

    def _access(self, instr: Instr, array: Operand, index: Sequence[Operand]) -> Access:
        assert isinstance(array, Value)
        is_write = instr.op.name in ("setitem", "accum")
        known = not instr.param("at") and len(index) == array.type.ndim
        adds = instr.op.name == "accum" and bool(instr.role) and array.type.dtype.kind in "fc"
        forms = tuple(map(self.forms.of, index)) if known else None
        return Access(array, is_write, adds, forms, instr.role == "tape")

    def may_share(self, a: Value, b: Value, *inner: Set[Value]) -> bool:
        """True if two arrays may share memory, one of them perhaps in another trip than the other where they
        are `inner` ones of what is moved."""
        known = self.shared.get((a, b))
        if known is None:
            x, y = self.arrays.frame(a), self.arrays.frame(b)
            ever = not self.arrays.origins(x).isdisjoint(self.arrays.origins(y))
            known = self.shared[a, b] = x, y, ever, ever and self.arrays.may_meet(x, y)
        x, y, ever, where_they_are = known
        return where_they_are or (ever and any(x in values or y in values for values in inner))

    def are_comparable(self, x: Access, y: Access) -> bool:
        """True if equal indices of two accesses are of one element: not of an array and a view of it."""
        known = x.index is not None and y.index is not None and len(x.index) == len(y.index)
        return known and self.arrays.frame(x.value) is self.arrays.frame(y.value)

    def in_one_trip(self, x: Access, y: Access, i: Value, inner: set[Value]) -> bool:
        """True if two accesses are to one element in one trip only."""
        if not self.are_comparable(x, y):
            return False
        for left, right in zip(x.index or (), y.index or (), strict=True):
            k = left.factor(i)
            if k in (1, -1) and right.factor(i) == k:
                rest = left.without(i)
                if rest == right.without(i) and not any(a in inner for a in rest.atoms()):
                    return True
        return False


def defined(instr: Instr) -> set[Value]:
    """Return what is defined in the blocks of an instruction."""
    found: set[Value] = set()
    for block in instr.blocks:
        found.update(block.params)
        for inner in block.walk():
            found.update(inner.results)
            for b in inner.blocks:
                found.update(b.params)
    return found
