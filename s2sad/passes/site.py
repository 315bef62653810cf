"""What a rewrite of `simplify` sees of the program, and what it answers with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from s2sad.ir.core import Instr, Literal, Operand, Value
from s2sad.ir.path import Index, Path, Span
from s2sad.ir.types import Array, Scalar, Type, without_sizes
from s2sad.record import dataclass


@dataclass(frozen=True, slots=True)
class Made:
    """An instruction to make. The outermost one takes over the results of the one it replaces; an
    inner one has the type of what it stands for, and the name, place and role of `like`."""

    op: str
    args: tuple[Operand | Made, ...]
    type: Type | None = None
    params: tuple[tuple[str, Any], ...] = ()
    like: Instr | None = None


Answer = Operand | Made | None


@dataclass(frozen=True, slots=True)
class Row:
    """A rewrite: `pattern` becomes `result`, and `why` that is the same. `apply` returns None where
    it does not fit. Rows are for generated code; only those marked `anywhere` touch the user's."""

    ops: tuple[str, ...]
    pattern: str
    result: str
    why: str
    apply: Callable[[Site], Answer]
    anywhere: bool = False


@dataclass(slots=True)
class Definitions:
    """Who defines a value, in which block, and how often it is read."""

    by: dict[Value, Instr]
    block: dict[Value, int]
    uses: dict[Value, int]


@dataclass(frozen=True, slots=True)
class Site:
    """One instruction, its operands as they are now, in its surroundings."""

    instr: Instr
    defined: Definitions
    here: int  # the block it is in

    @property
    def args(self) -> tuple[Operand, ...]:
        """Return the operands."""
        return self.instr.args

    @property
    def type(self) -> Type:
        """Return the type of the result."""
        return self.instr.result.type

    def definer(self, a: Operand | Made, *ops: str) -> Instr | None:
        """Return the instruction that defines `a`, if it is one of these ops."""
        found = self.defined.by.get(a) if isinstance(a, Value) else None
        return found if found is not None and (not ops or found.op.name in ops) else None

    def near(self, a: Operand | Made, *ops: str) -> Instr | None:
        """Return the definer of `a` if it is generated and in this very block: what it reads is still
        at hand, so that reading that instead keeps nothing alive for longer."""
        found = self.defined.by.get(a) if isinstance(a, Value) else None
        if found is None or not found.role or (ops and found.op.name not in ops):
            return None
        return found if self.defined.block[found.results[0]] == self.here else None

    def part(self, a: Operand | Made, *ops: str, uses: int = 1) -> Instr | None:
        """Return the definer of `a` if it may be taken apart: near, and read here only."""
        found = self.near(a, *ops)
        if found is None or not isinstance(a, Value):
            return None
        return found if self.defined.uses.get(a, 0) <= uses else None


def same_type(a: Type, b: Type) -> bool:
    """True if two types agree in kind and dtype and provably in shape."""
    return without_sizes(a) == without_sizes(b) and a.shape == b.shape


def is_number(a: Operand | Made, *values: float) -> bool:
    """True if `a` is one of these Python numbers (ints stand for floats; True is no number)."""
    return isinstance(a, Literal) and not isinstance(a.value, bool) and a.value in values


def is_int(t: Type) -> bool:
    """True for scalars of an integer type."""
    return isinstance(t, Scalar) and t.dtype.kind == "i"


def is_array(a: Operand | Made) -> bool:
    """True if `a` is an array."""
    return isinstance(a.type, Array)


def is_whole(path: Path) -> bool:
    """True if the path selects all of an array, dimension by dimension."""
    return all(isinstance(step, Index) and all(item == Span() for item in step.items) for step in path)


def is_weak(a: Operand | Made) -> bool:
    """True if `a` is a Python number."""
    return isinstance(a.type, Scalar) and a.type.weak
