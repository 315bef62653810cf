"""Integers of a lowered function as linear forms: sums of atoms with constant factors.

Two operands with equal forms hold equal numbers wherever both are defined: an atom is a value, and
values that are computed alike are one atom.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping

from s2sad.ir.core import Block, Instr, Literal, Operand, Value
from s2sad.ir.types import Array, Scalar
from s2sad.record import dataclass


@dataclass(frozen=True, slots=True)
class Linear:
    """`sum(factor * atom) + const`; no factor is 0."""

    terms: frozenset[tuple[Value, int]]
    const: int = 0

    def __add__(self, other: Linear) -> Linear:
        factors = dict(self.terms)
        for atom, k in other.terms:
            factors[atom] = factors.get(atom, 0) + k
        return Linear(frozenset((a, k) for a, k in factors.items() if k), self.const + other.const)

    def __mul__(self, k: int) -> Linear:
        return Linear(frozenset((a, f * k) for a, f in self.terms if k), self.const * k)

    def __sub__(self, other: Linear) -> Linear:
        return self + other * -1

    @property
    def is_const(self) -> bool:
        """True for a known number."""
        return not self.terms

    def factor(self, atom: Value) -> int:
        """Return the factor of an atom."""
        return next((k for a, k in self.terms if a is atom), 0)

    def without(self, atom: Value) -> Linear:
        """Return the form without the term of an atom."""
        return Linear(frozenset((a, k) for a, k in self.terms if a is not atom), self.const)

    def renamed(self, names: Mapping[Value, Value]) -> Linear:
        """Return the form of other atoms: `names[atom]` where there is one."""
        return Linear(frozenset((names.get(a, a), k) for a, k in self.terms), self.const)

    def atoms(self) -> Iterator[Value]:
        """Yield the atoms."""
        return (a for a, _ in self.terms)


class Forms:
    """The linear forms of a function's integers."""

    def __init__(self, block: Block) -> None:
        self.maker: dict[Value, Instr] = {r: i for i in block.walk() for r in i.results}
        self.known: dict[Value, Linear] = {}
        self.alike: dict[Hashable, Value] = {}

    def add(self, instr: Instr) -> None:
        """Note an instruction that a pass has made."""
        self.maker.update((r, instr) for r in instr.results)

    def of(self, a: Operand) -> Linear:
        """Return the form of an integer operand."""
        if isinstance(a, Literal):
            return Linear(frozenset(), int(a.value.real))
        if a not in self.known:
            self.known[a] = self._form(a)
        return self.known[a]

    def _form(self, a: Value) -> Linear:
        instr = self.maker.get(a)
        if instr is None or instr.blocks or not is_integer(a) or not all(map(is_integer, instr.args)):
            return self._atom(a, instr)
        args = instr.args
        match instr.op.name:
            case "add":
                return self.of(args[0]) + self.of(args[1])
            case "subtract":
                return self.of(args[0]) - self.of(args[1])
            case "negative":
                return self.of(args[0]) * -1
            case "widen" | "to_int64":
                return self.of(args[0])
            case "multiply":
                left, right = map(self.of, args)
                if right.is_const:
                    return left * right.const
                if left.is_const:
                    return right * left.const
        return self._atom(a, instr)

    def _atom(self, a: Value, instr: Instr | None) -> Linear:
        atom = a
        if instr is not None and instr.op.pure and not instr.blocks and len(instr.results) == 1:
            key = self._key(instr)
            if key is not None:
                atom = self.alike.setdefault(key, a)
        return Linear(frozenset({(atom, 1)}))

    def _key(self, instr: Instr) -> Hashable | None:
        if instr.op.name == "size":
            return ("size", instr.args[0], instr.params)
        if is_integer(instr.result) and all(map(is_integer, instr.args)):
            return (instr.op.name, instr.params, *map(self.of, instr.args))
        return None


def is_integer(a: Operand) -> bool:
    """True for a scalar that index arithmetic may be done with: 64 bits wide."""
    t = a.type
    if not isinstance(t, Scalar) or isinstance(t, Array):
        return False
    return (t.dtype.kind == "i" and t.dtype.itemsize == 8) or (isinstance(a, Literal) and t.dtype.kind == "b")
