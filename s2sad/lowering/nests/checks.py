"""Which checks an access relies on: it must not go before them.

What is not in range raises in a check of its own before the access. A check compares an index, or what the
index is made of, with a size, or sizes with each other; an access relies on the checks that compare what its
index is made of, and on those that compare nothing but sizes, one of them a size of its array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from s2sad.ir.core import Block, Instr, Literal, Operand, Value
from s2sad.ir.types import Array
from s2sad.lowering.nests.affine import Forms
from s2sad.lowering.overlap import Roots
from s2sad.record import dataclass

CONNECTIVES = ("both", "either", "not_", "logical_not")
COMPARISONS = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "outside")
ACCESSES = {"getitem": 1, "item0": 1, "setitem": 2, "accum": 2}  # where the indices begin
DIVISIONS = ("floor_divide", "remainder")


@dataclass(frozen=True, slots=True)
class Parts:
    """What an integer is made of: values, arrays that it was read from, sizes; or what cannot be told."""

    values: frozenset[Value] = frozenset()
    sizes: frozenset[str | Value] = frozenset()  # symbols, and the arrays' roots
    unknown: bool = False

    def __or__(self, other: Parts) -> Parts:
        return Parts(self.values | other.values, self.sizes | other.sizes, self.unknown or other.unknown)


NOTHING, ANYTHING = Parts(), Parts(unknown=True)


class Checks:
    """The checks of a function's instructions, and what relies on them."""

    def __init__(self, forms: Forms, roots: Callable[[Operand], Roots]) -> None:
        self.forms, self.roots = forms, roots
        self.checked: dict[Instr, list[Parts]] = {}
        self.needed: dict[Instr, Parts] = {}

    def rely(self, later: Instr, earlier: Instr) -> bool:
        """True if an instruction may touch elements, or divide, as a check in an earlier one has allowed."""
        if earlier not in self.checked:
            self.checked[earlier] = list(self.checks_in(earlier))
        if later not in self.needed:
            self.needed[later] = self.needs_of(later)
        needs = self.needed[later]
        if needs == NOTHING:
            return False
        return any(
            c.unknown
            or needs.unknown
            or not (c.values.isdisjoint(needs.values) if c.values else c.sizes.isdisjoint(needs.sizes))
            for c in self.checked[earlier]
        )

    def checks_in(self, instr: Instr) -> Iterator[Parts]:
        """Yield what each check of an instruction compares."""
        if instr.op.name == "call":
            yield ANYTHING
        for block in instr.blocks:
            if instr.op.name == "if" and any(_raises(block)):
                yield from self.comparisons(instr.args[0])
            for inner in block.instrs:
                yield from self.checks_in(inner)

    def comparisons(self, condition: Operand) -> Iterator[Parts]:
        """Yield what is compared in a condition."""
        if isinstance(condition, Literal):
            return
        maker = self.forms.maker.get(condition)
        name = maker.op.name if maker is not None else ""
        if maker is not None and name in CONNECTIVES:
            for a in maker.args:
                yield from self.comparisons(a)
        else:
            yield self.parts(maker.args) if maker is not None and name in COMPARISONS else ANYTHING

    def needs_of(self, instr: Instr) -> Parts:
        """Return what the indices and arrays of an instruction's accesses are made of."""
        found = ANYTHING if instr.op.name == "call" else NOTHING
        if instr.op.name in ACCESSES:
            array, index = instr.args[0], instr.args[ACCESSES[instr.op.name] :]
            found |= self.parts(index) | Parts(sizes=self.sizes_of(array))
        elif instr.op.name in DIVISIONS:
            found |= self.parts(instr.args)
        elif instr.op.name != "size" and not instr.blocks:  # BLAS and its like trust the sizes they are given
            arrays = (a for a in instr.args if isinstance(a.type, Array))
            found |= Parts(sizes=frozenset().union(*map(self.sizes_of, arrays)))
        for block in instr.blocks:
            for inner in block.instrs:
                found |= self.needs_of(inner)
        if instr.blocks and found != NOTHING:  # how far indices go, and whether there is an access
            found |= self.parts(instr.args)
        return found

    def parts(self, operands: tuple[Operand, ...]) -> Parts:
        """Return what operands are made of."""
        values: set[Value] = set()
        sizes: set[str | Value] = set()
        todo = list(operands)
        while todo:
            a = todo.pop()
            if not isinstance(a, Value) or a in values:
                continue
            maker = self.forms.maker.get(a)
            if maker is not None and maker.op.name == "size":
                sizes |= self.sizes_of(maker.args[0])
                continue
            if isinstance(a.type, Array):
                values |= self.roots(a)
                continue
            values.add(a)
            if maker is not None:
                todo += maker.args
        return Parts(frozenset(values), frozenset(sizes))

    def sizes_of(self, array: Operand) -> frozenset[str | Value]:
        """Return the size symbols of an array, and its roots."""
        assert isinstance(array.type, Array)
        return frozenset(s for n in array.type.shape for s in n.symbols()) | self.roots(array)


def _raises(block: Block) -> Iterator[bool]:
    yield block.end.kind == "raise"
    for instr in block.instrs:
        for inner in instr.blocks:
            yield from _raises(inner)
