"""Appending lowered instructions: integer arithmetic that folds, loops, branches, raised errors.

Index arithmetic keeps bounds: for each integer operand the sizes it lies between, so that checks and
wrap-around are written only where they are not provably needless.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Any

import numpy as np

from s2sad.errors import Origin
from s2sad.ir.builder import Builder, Sizes
from s2sad.ir.core import Block, End, Instr, Literal, Operand, Value
from s2sad.ir.size import Size
from s2sad.ir.types import C16, F8, INT, Array, Scalar, Type, without_sizes
from s2sad.lowering.ops import LOWERED, conversion
from s2sad.ops.table import OPS
from s2sad.record import dataclass

ZERO = Literal(0)
ONE = Literal(1)
INDEX_NAMES = ("i", "j", "k", "m", "p", "q", "r", "s")
INDEX_ARITHMETIC = {"add", "subtract", "multiply", "negative", "floor_divide", "at_least", "at_most", "wrap"}
Bounds = tuple[Size | None, Size | None]


@dataclass(slots=True)
class _Scope:
    builder: Builder
    sizes: dict[Size, Operand] = field(default_factory=dict)
    checked: dict[tuple[object, ...], Operand] = field(default_factory=dict)


class Code:
    """The function being written: a stack of open blocks, innermost last."""

    def __init__(self, sizes: Sizes):
        self.sizes = sizes
        self.scopes: list[_Scope] = []
        self.bounds: dict[Value, Bounds] = {}
        self.linear: dict[Value, tuple[Operand, int]] = {}
        self.origin: Origin | None = None
        self.role = ""
        self.trusts_index = False  # while the place of an entry of a tape is computed
        self.depth = 0

    # -- blocks ---------------------------------------------------------------------------------
    def open(self) -> None:
        """Start a block."""
        self.scopes.append(_Scope(Builder(self.sizes)))

    def close(self, params: tuple[Value, ...], end: End) -> Block:
        """Return the innermost block, ended by `end`."""
        return Block(params, tuple(self.scopes.pop().builder.instrs), end)

    def op(self, name: str, *args: Operand, hint: str = "", **params: Any) -> Value:
        """Append an op with one result and return that result; index arithmetic is not repeated."""
        if name in INDEX_ARITHMETIC and all(_is_index(a) for a in args):
            found = self.once((name, *args), lambda: self._op(name, args, hint, params))
            assert isinstance(found, Value)
            return found
        return self._op(name, args, hint, params)

    def _op(self, name: str, args: tuple[Operand, ...], hint: str, params: dict[str, Any]) -> Value:
        builder = self.scopes[-1].builder
        builder.origin, builder.role = self.origin, self.role
        return builder.emit(LOWERED[name] if name in LOWERED else OPS[name], *args, name=hint, **params)

    def add_instr(self, instr: Instr) -> None:
        """Append a finished instruction."""
        self.scopes[-1].builder.add(instr)

    def owner(
        self, name: str, args: tuple[Operand, ...], blocks: tuple[Block, ...], results: tuple[Value, ...]
    ) -> tuple[Value, ...]:
        """Append an instruction that owns blocks and return its results."""
        self.add_instr(Instr(OPS[name], args, results, (), blocks, self.origin, self.role))
        return results

    def loop(
        self,
        span: tuple[Operand, Operand, Operand],
        carried: Sequence[Operand],
        body: Callable[[Value, list[Operand]], Sequence[Operand]],
    ) -> tuple[Value, ...]:
        """Append `for index in range(*span)`; `body(index, carried)` returns the next carried values."""
        index = Value(INDEX_NAMES[min(self.depth, len(INDEX_NAMES) - 1)], Scalar(INT, weak=True))
        self.bounds[index] = self.range_bounds(*span)
        params = [Value(a.name, carried_type(a)) for a in carried]
        self.open()
        self.depth += 1
        after = body(index, list(params))
        self.depth -= 1
        block = self.close((index, *params), End("yield", tuple(after), origin=self.origin))
        results = tuple(Value(a.name, carried_type(a)) for a in carried)
        return self.owner("for", (*span, *carried), (block,), results)

    def nest(
        self,
        dims: Sequence[Operand],
        carried: Sequence[Operand],
        body: Callable[[tuple[Operand, ...], list[Operand]], Sequence[Operand]],
        down: Sequence[bool] = (),
    ) -> tuple[Operand, ...]:
        """Append one loop per dimension (none for a dimension of 1), innermost last; `down` says which
        dimensions are run through from the end."""

        def level(k: int, index: tuple[Operand, ...], state: list[Operand]) -> Sequence[Operand]:
            if k == len(dims):
                return body(index, state)
            if dims[k] == ONE:
                return level(k + 1, (*index, ZERO), state)
            span: tuple[Operand, Operand, Operand] = (ZERO, dims[k], ONE)
            if down and down[k]:
                span = (self.sub(dims[k], ONE), Literal(-1), Literal(-1))
            return self.loop(span, state, lambda i, inner: level(k + 1, (*index, i), inner))

        return tuple(level(0, (), list(carried)))

    def branch(
        self,
        condition: Operand,
        then: Callable[[], Sequence[Operand]],
        other: Callable[[], Sequence[Operand]],
    ) -> tuple[Value, ...]:
        """Append an `if` and return what the branches yield."""
        blocks: list[Block] = []
        for side in (then, other):
            self.open()
            values = tuple(side())
            blocks.append(self.close((), End("yield", values, origin=self.origin)))
        results = tuple(Value(a.name, carried_type(a)) for a in blocks[0].end.args)
        return self.owner("if", (condition,), tuple(blocks), results)

    def fail_if(self, condition: Operand, exception: type[Exception], message: str) -> None:
        """Append `if condition: raise exception(message at the primal line)`."""
        if condition == Literal(False):
            return
        place = f" ({self.origin})" if self.origin else ""
        params = (("exception", exception), ("message", (message + place,)))
        self.open()
        bad = self.close((), End("raise", (), params, self.origin))
        self.open()
        good = self.close((), End("yield", (), origin=self.origin))
        self.owner("if", (condition,), (bad, good), ())

    def differ(self, a: Operand, b: Operand, *stretched: Operand) -> Operand:
        """Return the condition that two sizes differ and none of those `stretched` is 1."""
        if a == b:
            return Literal(False)
        found: Operand = self.op("not_equal", a, b)
        for n in stretched:
            if n == ONE:
                return Literal(False)
            if not isinstance(n, Literal):
                found = self.op("both", found, self.op("not_equal", n, ONE))
        return found

    # -- what is known of integers ---------------------------------------------------------------
    def bounds_of(self, a: Operand) -> Bounds:
        """Return sizes that `a` lies between; None where nothing is known."""
        if isinstance(a, Literal):
            return (Size.of(int(a.value.real)),) * 2
        if a in self.bounds:
            return self.bounds[a]
        size = a.type.size if isinstance(a.type, Scalar) else None
        return size, size

    def exact(self, a: Operand) -> Size:
        """Return the size that an operand holds, a new one if it is only known within bounds."""
        low, high = self.bounds_of(a)
        return low if low is not None and low == high else self.sizes.fresh()

    def range_bounds(self, lo: Operand, hi: Operand, step: Operand) -> Bounds:
        """Return the bounds of the index of `range(lo, hi, step)` inside the loop."""
        first, last = self.bounds_of(lo), self.bounds_of(hi)
        if isinstance(step, Literal):
            if int(step.value.real) > 0:
                return first[0], last[1] - 1 if last[1] is not None else None
            return (last[0] + 1 if last[0] is not None else None), first[1]
        return None, None

    def is_at_least(self, a: Operand, floor: Size) -> bool:
        """True if `a >= floor` is provable."""
        low = self.bounds_of(a)[0]
        return low is not None and is_nonnegative(low - floor)

    def is_at_most(self, a: Operand, ceiling: Size) -> bool:
        """True if `a <= ceiling` is provable."""
        high = self.bounds_of(a)[1]
        return high is not None and is_nonnegative(ceiling - high)

    def known(self, size: Size) -> Operand | None:
        """Return an operand in scope that holds the number `size`, or None. Names of run-time sizes
        are not relied on: there, equal numbers are the same operand."""
        if size.is_const:
            return Literal(size.const)
        size = self.sizes.canonical(size)
        for scope in reversed(self.scopes):
            if size in scope.sizes:
                return scope.sizes[size]
        return None

    def same(self, a: Size, b: Size) -> bool:
        """True if two sizes are one number by what the function was built to assume."""
        return self.sizes.canonical(a) == self.sizes.canonical(b) and not is_run_time(a)

    def remember(self, size: Size, a: Operand) -> Operand:
        """Note that `a` holds the number `size`, and return it."""
        if is_run_time(size):
            if isinstance(a, Value) and a not in self.bounds:
                own = self.sizes.fresh()
                self.bounds[a] = (own, own)
            return a
        if isinstance(a, Value):
            self.bounds.setdefault(a, (size, size))
        self.scopes[-1].sizes[self.sizes.canonical(size)] = a
        return a

    def once(self, key: tuple[object, ...], make: Callable[[], Operand]) -> Operand:
        """Return what `make` made for `key` in this block or an enclosing one, making it if need be."""
        for scope in reversed(self.scopes):
            if key in scope.checked:
                return scope.checked[key]
        made = make()
        self.scopes[-1].checked[key] = made
        return made

    # -- integer arithmetic ------------------------------------------------------------------------
    def add(self, a: Operand, b: Operand) -> Operand:
        """Return a + b."""
        if isinstance(a, Literal) and not isinstance(b, Literal):
            a, b = b, a
        if isinstance(b, Literal):
            return self._shift(a, int(b.value.real))
        if isinstance(b, Value) and b in self.linear:
            base, k = self.linear[b]
            return self._shift(self.add(a, base), k)
        assert isinstance(a, Value)
        if a in self.linear:
            base, k = self.linear[a]
            return self._shift(self.add(base, b), k)
        result = self.op("add", a, b)
        low, high = self.bounds_of(a), self.bounds_of(b)
        self.bounds[result] = (_plus(low[0], high[0]), _plus(low[1], high[1]))
        return result

    def _shift(self, a: Operand, k: int) -> Operand:
        if isinstance(a, Literal):
            return Literal(int(a.value.real) + k)
        if a in self.linear:
            a, more = self.linear[a]
            k += more
        if not k or isinstance(a, Literal):
            return a if not isinstance(a, Literal) else Literal(int(a.value.real) + k)
        low, high = self.bounds_of(a)
        result = self.op("add", a, Literal(k)) if k > 0 else self.op("subtract", a, Literal(-k))
        self.bounds[result] = (_plus(low, Size.of(k)), _plus(high, Size.of(k)))
        self.linear[result] = (a, k)
        return result

    def sub(self, a: Operand, b: Operand) -> Operand:
        """Return a - b."""
        if isinstance(b, Literal):
            return self._shift(a, -int(b.value.real))
        if a is b:
            return ZERO
        if b in self.linear:
            base, k = self.linear[b]
            return self._shift(self.sub(a, base), -k)
        if isinstance(a, Value) and a in self.linear:
            base, k = self.linear[a]
            return self._shift(self.sub(base, b), k)
        result = self.op("subtract", a, b)
        low, high = self.bounds_of(a), self.bounds_of(b)
        self.bounds[result] = (_minus(low[0], high[1]), _minus(low[1], high[0]))
        return result

    def distance(self, a: Operand, b: Operand) -> int | None:
        """Return a - b where it is a constant."""
        base_a, k = self._split(a)
        base_b, m = self._split(b)
        return k - m if base_a is base_b else None

    def _split(self, a: Operand) -> tuple[Value | None, int]:
        if isinstance(a, Literal):
            return None, int(a.value.real)
        base, k = self.linear.get(a, (a, 0))
        return (base, k) if isinstance(base, Value) else (None, k + int(base.value.real))

    def mul(self, a: Operand, b: Operand) -> Operand:
        """Return a * b."""
        if isinstance(a, Literal) and not isinstance(b, Literal):
            a, b = b, a
        if isinstance(b, Literal):
            k = int(b.value.real)
            if isinstance(a, Literal):
                return Literal(int(a.value.real) * k)
            if k in (0, 1):
                return a if k else ZERO
            if k == -1:
                return self.op("negative", a)
        result = self.op("multiply", a, b)
        (low, high), (low2, high2) = self.bounds_of(a), self.bounds_of(b)
        if low is not None and low == high and low2 is not None and low2 == high2:
            self.bounds[result] = (low * low2, low * low2)
        elif low is not None and low2 is not None and is_nonnegative(low) and is_nonnegative(low2):
            self.bounds[result] = (Size(), None)
        return result

    def floordiv(self, a: Operand, b: Operand) -> Operand:
        """Return a // b for b > 0."""
        if b == ONE:
            return a
        if isinstance(a, Literal) and isinstance(b, Literal):
            return Literal(int(a.value.real) // int(b.value.real))
        return self.op("floor_divide", a, b)

    def maximum(self, a: Operand, b: Operand) -> Operand:
        """Return max(a, b)."""
        return self._extreme("at_least", a, b)

    def minimum(self, a: Operand, b: Operand) -> Operand:
        """Return min(a, b)."""
        return self._extreme("at_most", a, b)

    def _extreme(self, op: str, a: Operand, b: Operand) -> Operand:
        is_max = op == "at_least"
        if isinstance(a, Literal) and isinstance(b, Literal):
            pair = (int(a.value.real), int(b.value.real))
            return Literal(max(pair) if is_max else min(pair))
        (low, high), (low2, high2) = self.bounds_of(a), self.bounds_of(b)
        if _not_below(low, high2):
            return a if is_max else b
        if _not_below(low2, high):
            return b if is_max else a
        result = self.op(op, a, b)
        if is_max and b == ZERO and low is not None and low == high:
            self.bounds[result] = (low.clamped(), low.clamped())
        elif is_max:
            lower = low if b == ZERO and low is not None and is_nonnegative(low) else low2
            self.bounds[result] = (lower, None)
        else:
            self.bounds[result] = (_shared_floor(low, low2), high if high is not None else high2)
        return result

    def coerce(self, a: Operand, t: Type) -> Operand:
        """Return `a` as a slot of type `t` takes it: a Python number or a NumPy scalar."""
        if isinstance(t, Array) or without_sizes(a.type) == without_sizes(t):
            return a
        if isinstance(a, Literal) and t.weak and t.dtype.kind == "f" and not isinstance(a.value, complex):
            return Literal(float(a.value))
        wide = t.dtype in (np.dtype(bool), INT, F8, C16)
        if a.type.dtype != t.dtype or not (wide or t.weak):
            a = self.op(conversion(t.dtype), a)
            if not t.weak:
                return a
        number = self.op("widen", a, type=carried_type_of(t))
        if t.dtype == INT:
            self.bounds[number] = self.bounds_of(a)
        return number

    def product(self, dims: Sequence[Operand]) -> Operand:
        """Return the product of dimensions."""
        total: Operand = ONE
        for d in dims:
            total = self.mul(total, d)
        return total


def carried_type(a: Operand) -> Type:
    """Return the type of a loop slot or branch result that starts as `a`: sizes of ints dropped."""
    return carried_type_of(a.type)


def carried_type_of(t: Type) -> Type:
    """Return `t` without the size of an int."""
    return t if isinstance(t, Array) else Scalar(t.dtype, t.weak)


def _is_index(a: Operand) -> bool:
    return isinstance(a.type, Scalar) and a.type.weak and a.type.dtype == INT


def is_run_time(size: Size) -> bool:
    """True if the number is known at run time only."""
    return any(name[0] in "?$" for name in size.symbols())


def is_nonnegative(size: Size) -> bool:
    """True if `size >= 0` is provable."""
    if size.clamped() == size:
        return True
    for atom, k in size.terms:
        if atom.kind == "clamp" and k > 0:  # max(s, 0) >= s
            return is_nonnegative(size + (atom.parts[0] - Size(((atom, 1),))) * k)
    return False


def _not_below(low: Size | None, high: Size | None) -> bool:
    return low is not None and high is not None and is_nonnegative(low - high)


def _shared_floor(a: Size | None, b: Size | None) -> Size | None:
    both = a is not None and b is not None and is_nonnegative(a) and is_nonnegative(b)
    return Size() if both else None


def _plus(a: Size | None, b: Size | None) -> Size | None:
    return None if a is None or b is None else a + b


def _minus(a: Size | None, b: Size | None) -> Size | None:
    return None if a is None or b is None else a - b
