"""Sizes as operands: finding values in scope from which the number that a Size stands for is computed."""

from __future__ import annotations

from collections.abc import Iterable

from s2sad.ir.builder import Builder
from s2sad.ir.core import Literal, Operand, Value
from s2sad.ir.size import Atom, Size
from s2sad.ir.types import Array, Scalar, Sparse, Type
from s2sad.ops.table import OPS


class Resolver:
    """Knows values in scope and what they tell about sizes. Earlier values win."""

    def __init__(self, values: Iterable[Value] = ()):
        self.ints: dict[Size, Value] = {}
        self.dims: dict[Size, tuple[Value, int]] = {}
        self.shapes: dict[tuple[Size, ...], Value] = {}
        for v in values:
            self.see(v)

    def see(self, v: Value) -> None:
        """Note a value that has come into scope."""
        if isinstance(v.type, Array):
            self.shapes.setdefault(v.type.shape, v)
            for axis, n in enumerate(v.type.shape):
                if not n.is_const:
                    self.dims.setdefault(n, (v, axis))
        elif isinstance(v.type, Sparse):
            for axis, n in enumerate((v.type.rows, v.type.columns)):
                self.dims.setdefault(n, (v, axis))
        elif v.type.size is not None and v.type.weak:
            self.ints.setdefault(v.type.size, v)

    def knows(self, size: Size) -> bool:
        """True if the size can be computed from the values in scope."""
        if size.is_const or size in self.ints or size in self.dims:
            return True
        return all(self._knows_atom(a) for a, _ in size.terms)

    def knows_shape(self, t: Type) -> bool:
        """True if all dimensions can be computed."""
        return all(map(self.knows, t.shape))

    def _knows_atom(self, atom: Atom) -> bool:
        alone = Size(((atom, 1),))
        if alone in self.ints or alone in self.dims:
            return True
        return atom.kind in ("clamp", "product", "quotient", "minimum") and all(map(self.knows, atom.parts))

    def operand(self, b: Builder, size: Size) -> Operand:
        """Append what computes the size and return it."""
        if size.is_const:
            return Literal(size.const)
        if size in self.ints:
            return self.ints[size]
        if size in self.dims:
            v, axis = self.dims[size]
            return b.emit(OPS["sparse_size" if isinstance(v.type, Sparse) else "size"], v, axis=axis)
        total: Operand | None = None
        for atom, k in sorted(size.terms, key=lambda term: term[1] < 0):
            part = self._atom(b, atom)
            if total is None:
                total = part if k == 1 else b.emit(OPS["multiply"], Literal(k), part)
                continue
            if abs(k) != 1:
                part = b.emit(OPS["multiply"], Literal(abs(k)), part)
            total = b.emit(OPS["add" if k > 0 else "subtract"], total, part)
        assert total is not None
        if size.const:
            total = b.emit(OPS["add" if size.const > 0 else "subtract"], total, Literal(abs(size.const)))
        return total

    def _atom(self, b: Builder, atom: Atom) -> Operand:
        alone = Size(((atom, 1),))
        if alone in self.ints or alone in self.dims:
            return self.operand(b, alone)
        parts = [self.operand(b, p) for p in atom.parts]
        match atom.kind:
            case "clamp":
                return at_least_zero(b, parts[0])
            case "minimum":
                less = b.emit(OPS["less"], parts[0], parts[1])
                return b.emit(OPS["where"], less, parts[0], parts[1])
            case "quotient":
                return b.emit(OPS["floor_divide"], parts[0], parts[1])
            case _:
                total = parts[0]
                for p in parts[1:]:
                    total = b.emit(OPS["multiply"], total, p)
                return total


def at_least_zero(b: Builder, n: Operand) -> Operand:
    """Append `max(n, 0)`."""
    if isinstance(n, Literal):
        assert isinstance(n.value, int)
        return Literal(max(n.value, 0))
    if isinstance(n.type, Scalar) and n.type.size is not None and n.type.size.clamped() == n.type.size:
        return n
    return b.emit(OPS["where"], b.emit(OPS["greater"], n, Literal(0)), n, Literal(0))


def trip_count(b: Builder, lo: Operand, hi: Operand, step: Operand) -> Operand:
    """Append the number of trips of a range."""
    ends = [a.value for a in (lo, hi, step) if isinstance(a, Literal) and isinstance(a.value, int)]
    if len(ends) == 3:
        return Literal(len(range(*ends)))
    by = step.value if isinstance(step, Literal) else None
    if by in (1, -1):
        return at_least_zero(b, difference(b, hi, lo) if by == 1 else difference(b, lo, hi))
    down = b.emit(OPS["floor_divide"], difference(b, lo, hi), step)
    return at_least_zero(b, b.emit(OPS["negative"], down))


def difference(b: Builder, a: Operand, n: Operand) -> Operand:
    """Append `a - n`, computed now if both are literals."""
    x = a.value if isinstance(a, Literal) else None
    y = n.value if isinstance(n, Literal) else None
    if isinstance(x, int) and isinstance(y, int):
        return Literal(x - y)
    if x == 0:
        return b.emit(OPS["negative"], n)
    return a if y == 0 else b.emit(OPS["subtract"], a, n)


def added(b: Builder, a: Operand, n: Operand) -> Operand:
    """Append `a + n`, computed now if both are literals."""
    x = a.value if isinstance(a, Literal) else None
    y = n.value if isinstance(n, Literal) else None
    if isinstance(x, int) and isinstance(y, int):
        return Literal(x + y)
    if x == 0:
        return n
    return a if y == 0 else b.emit(OPS["add"], a, n)


def trips_size(lo: Operand, hi: Operand, step: Operand) -> Size | None:
    """Return the number of trips of `range(lo, hi, step)` as a size, if it is known as one."""
    known = [a.type.size if isinstance(a.type, Scalar) else None for a in (lo, hi, step)]
    first, last, by = known
    if first is None or last is None or by is None or not by.is_const or by.const == 0:
        return None
    if abs(by.const) == 1:
        return ((last - first) * by.const).clamped()
    return (-((first - last) // by.const)).clamped()
