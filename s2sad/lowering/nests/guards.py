"""Checks leave loops: what an index is at most is known before the first trip.

A guard (`if condition: raise`) that every trip of a loop comes to is replaced by one before the loop, on
the condition that it fails in some trip: as it stands if it does not depend on the trip, with the last or
first index if it compares what grows or falls with it. A loop without checks can be vectorised and fused.

The exception is that of the primal; where several checks of one loop would fail, the one raised may be
another of the same type. What a loop has done before a late trip fails is not done.
"""

from __future__ import annotations

from collections.abc import Hashable

from s2sad.ir.core import Block, Function, Instr, Literal, Operand, Value
from s2sad.ir.types import WEAK_BOOL, Array, Scalar
from s2sad.ir.walk import expanded, has_effect
from s2sad.lowering.nests.affine import Forms, Linear, is_integer
from s2sad.lowering.nests.order import DOWN, UP
from s2sad.lowering.ops import LOWERED
from s2sad.ops.table import OPS
from s2sad.record import replace

COMPARISONS = {"less": -1, "less_equal": -1, "greater": 1, "greater_equal": 1}  # fails where a - b is so
# operations on arrays that raise nothing that a guard has not excluded
CALM = ("getitem", "setitem", "accum", "size", "empty", "zeros", "copy", "contiguous", "as_rank", "item0",
        "blas_dot", "sort_line", "argsort_line", "search_", "fft_line", "call")  # fmt: skip


def hoist_guards(fn: Function) -> Function:
    """Return the function with its checks before the loops where that is possible, each made once."""
    hoister = _Hoister(Forms(fn.block))
    block = expanded(fn.block, hoister.instr)
    return replace(fn, block=_Once(hoister.forms).block(block, frozenset()))


def guard_of(instr: Instr) -> type[Exception] | None:
    """Return the exception of `if condition: raise`, None for any other instruction."""
    if instr.op.name != "if" or instr.results:
        return None
    then, other = instr.blocks
    if then.instrs or then.end.kind != "raise" or then.end.args or other.instrs or other.end.kind != "yield":
        return None
    exception: type[Exception] = dict(then.end.params)["exception"]
    return exception


class _Hoister:
    def __init__(self, forms: Forms) -> None:
        self.forms = forms

    def instr(self, loop: Instr) -> list[Instr]:
        """Return an instruction; a loop with what goes before it, without the guards of which that takes
        the place."""
        if loop.op.name != "for":
            return [loop]
        (body,) = loop.blocks
        if loop.args[2] not in (UP, DOWN) or not _completes(body):
            return [loop]
        raised = _exceptions(body)
        if raised is None:
            return [loop]
        trip = _Trip(loop, self.forms)
        kept: list[Instr] = []
        changing = False  # a check stays that may fail in any trip
        for instr in body.instrs:
            exception = guard_of(instr)
            alone = len(raised) == 1
            found = None
            if exception is not None and (alone or not changing):
                found = trip.some(instr.args[0], only_invariant=not alone)
            if found is None:
                changing = changing or any(map(_raised, instr.blocks))
                kept.append(instr)
                continue
            trip.guard(instr, found)
        if not trip.guards:
            return [loop]
        return [*trip.made, replace(loop, blocks=(Block(body.params, tuple(kept), body.end),))]


def _completes(body: Block) -> bool:
    """True if no trip ends early, but by an exception."""

    def leaves(block: Block, inside: bool) -> bool:
        if block.end.kind in ("return", "unreachable") or (
            not inside and block.end.kind in ("break", "continue")
        ):
            return True
        return any(leaves(b, inside or i.op.name in ("for", "while")) for i in block.instrs for b in i.blocks)

    return not leaves(body, False)


def _exceptions(body: Block) -> set[type[Exception]] | None:
    """Return what a trip may raise by a guard; None if it does what must come before that, or calls what
    may raise by itself."""
    for instr in body.walk():
        if instr.op.name == "call" and has_effect(instr.param("callee")):
            return None
        if not instr.op.pure and instr.op.name != "comment":
            return None
        on_arrays = any(isinstance(a.type, Array) for a in (*instr.args, *instr.results))
        if on_arrays and not instr.blocks and not instr.op.name.startswith(CALM):
            return None
    return _raised(body)


def _raised(block: Block) -> set[type[Exception]]:
    found = {dict(block.end.params)["exception"]} if block.end.kind == "raise" else set()
    return found.union(*(_raised(b) for i in block.instrs for b in i.blocks))


class _Trip:
    """Conditions of a loop's trips, stated before the loop."""

    def __init__(self, loop: Instr, forms: Forms) -> None:
        self.loop, self.forms = loop, forms
        (body,) = loop.blocks
        self.index, self.carried = body.params[0], frozenset(body.params[1:])
        self.inside = {r: i for i in body.walk() for r in i.results}
        for i in body.walk():
            for b in i.blocks:
                self.inside.update((p, i) for p in b.params)
        self.up = loop.args[2] == UP
        self.made: list[Instr] = []
        self.guards = 0
        self.extremes: dict[bool, Operand] = {}
        self.nonempty: Operand | None = None
        self.depends: dict[Value, bool | None] = {}

    # --- instructions before the loop ----------------------------------------------------------

    def emit(self, name: str, *args: Operand) -> Value:
        """Append an operation on integers or conditions and return its result."""
        op = LOWERED[name] if name in LOWERED else OPS[name]
        is_int = name in ("add", "subtract", "negative")
        t = Scalar(args[0].type.dtype, weak=True) if is_int else WEAK_BOOL
        value = Value("", t)
        instr = Instr(op, args, (value,), (), (), self.loop.origin, self.loop.role)
        self.made.append(instr)
        self.forms.add(instr)
        return value

    def guard(self, instr: Instr, condition: Operand) -> None:
        """Append the guard under a condition that holds if it fails in some trip."""
        self.guards += 1
        if condition == Literal(False):
            return
        self.made.append(replace(instr, args=(condition,)))

    def extreme(self, largest: bool) -> Operand:
        """Return the largest or the smallest index of all trips."""
        if largest not in self.extremes:
            lo, hi = self.loop.args[:2]
            if largest == self.up:
                shift = Literal(-1 if self.up else 1)
                self.extremes[largest] = self._sum(hi, shift)
            else:
                self.extremes[largest] = lo
        return self.extremes[largest]

    def _sum(self, a: Operand, k: Literal) -> Operand:
        by = int(k.value.real)
        if isinstance(a, Literal):
            return Literal(int(a.value.real) + by)
        return self.emit("add", a, k) if by > 0 else self.emit("subtract", a, Literal(-by))

    def any_trip(self) -> Operand:
        """Return the condition that there is a trip."""
        if self.nonempty is None:
            lo, hi = self.loop.args[:2]
            gap = (self.forms.of(hi) - self.forms.of(lo)) * (1 if self.up else -1)
            if gap.is_const:
                self.nonempty = Literal(gap.const > 0)
            else:
                self.nonempty = self.emit("less" if self.up else "greater", lo, hi)
        return self.nonempty

    # --- conditions ------------------------------------------------------------------------------

    def some(self, condition: Operand, only_invariant: bool) -> Operand | None:
        """Return the condition that some trip's `condition` holds; None if that cannot be told."""
        made, guards = len(self.made), self.nonempty
        kept = dict(self.extremes)
        found = self._some(condition, only_invariant)
        if found is None:
            del self.made[made:]
            self.nonempty, self.extremes = guards, kept
            return None
        holds, implies_trip = found
        if implies_trip:
            return holds
        trips = self.any_trip()
        if trips == Literal(True) or holds == Literal(False) or self._has(holds, trips):
            return holds
        return Literal(False) if trips == Literal(False) else self.emit("both", trips, holds)

    def _has(self, condition: Operand, part: Operand) -> bool:
        """True if a condition is that `part` holds and more."""
        if condition_key(self.forms, condition) == condition_key(self.forms, part):
            return True
        maker = self.forms.maker.get(condition) if isinstance(condition, Value) else None
        return maker is not None and maker.op.name == "both" and any(self._has(a, part) for a in maker.args)

    def _some(self, condition: Operand, only_invariant: bool) -> tuple[Operand, bool] | None:
        varies = self._varies(condition)
        if varies is None:
            return None
        if not varies:
            return self._copied(condition, {}), False
        if only_invariant or not isinstance(condition, Value):
            return None
        instr = self.inside[condition]
        name, args = instr.op.name, instr.args
        if name in COMPARISONS and all(map(is_integer, args)):
            gap = self.forms.of(args[0]) - self.forms.of(args[1])
            at = self._extreme_of(gap, COMPARISONS[name])
            if at is None:
                return None
            return self._copied(condition, {self.index: at}), self._implies_trip(name, gap)
        if name == "outside" and all(map(is_integer, args)):
            i, n = args
            low = self._extreme_of(self.forms.of(i) + self.forms.of(n), -1)
            high = self._extreme_of(self.forms.of(i) - self.forms.of(n), 1)
            if low is None or high is None:
                return None
            first, last = {self.index: low}, {self.index: high}
            below = self.emit("less", self._copied(i, first), self.emit("negative", self._copied(n, first)))
            above = self.emit("greater_equal", self._copied(i, last), self._copied(n, last))
            return self.emit("either", below, above), False
        if name == "either":
            left, right = (self._some(a, only_invariant) for a in args)
            if left is None or right is None:
                return None
            return self.emit("either", left[0], right[0]), left[1] and right[1]
        if name == "both":
            moving = [a for a in args if self._varies(a)]
            if len(moving) != 1:
                return None
            parts = [self._some(a, only_invariant) for a in args]
            if parts[0] is None or parts[1] is None:
                return None
            return self.emit("both", parts[0][0], parts[1][0]), parts[0][1] or parts[1][1]
        return None

    def _extreme_of(self, gap: Linear, sign: int) -> Operand | None:
        """Return the index at which a form is largest (sign 1) or smallest; None if that is not known."""
        if any(self._varies(a) is not False for a in gap.atoms() if a is not self.index):
            return None
        k = gap.factor(self.index)
        return self.extreme(k * sign > 0) if k else self.extreme(True)

    def _implies_trip(self, name: str, gap: Linear) -> bool:
        """True if the comparison can only hold of an extreme index where there is a trip: for
        `i + c >= n` counted from or down to 0, with n a size and c not positive."""
        lo, hi = self.loop.args[:2]
        to_zero = lo == Literal(0) if self.up else hi == Literal(-1)
        if name != "greater_equal" or not to_zero or gap.const > 0:
            return False
        rest = gap.without(self.index)
        sizes = list(rest.terms)
        return gap.factor(self.index) == 1 and all(k == -1 and self._is_size(a) for a, k in sizes)

    def _is_size(self, a: Value) -> bool:
        maker = self.forms.maker.get(a)
        return maker is not None and maker.op.name == "size"

    def _varies(self, a: Operand) -> bool | None:
        """True if an operand depends on the index; None if on what the trips hand on or do."""
        if isinstance(a, Literal):
            return False
        if a is self.index:
            return True
        if a in self.carried:
            return None
        if a not in self.inside:
            return False
        if a not in self.depends:
            instr = self.inside[a]
            found: bool | None = False
            if instr.blocks or not instr.op.pure or not all(isinstance(x.type, Scalar) for x in instr.args):
                found = None
                if instr.op.name == "size" and isinstance(instr.args[0], Value):
                    found = False if self._varies(instr.args[0]) is False else None
            else:
                for x in instr.args:
                    inner = self._varies(x)
                    if inner is None:
                        found = None
                        break
                    found = found or inner
            self.depends[a] = found
        return self.depends[a]

    def _copied(self, a: Operand, at: dict[Value, Operand]) -> Operand:
        """Return an operand computed before the loop, with the index replaced."""
        if not isinstance(a, Value):
            return a
        if a in at:
            return at[a]
        if a not in self.inside:
            return a
        instr = self.inside[a]
        args = tuple(self._copied(x, at) for x in instr.args)
        if instr.op.name in ("add", "subtract") and all(isinstance(x, Literal) for x in args):
            return Literal(instr.op.evaluate(*(x.value for x in args if isinstance(x, Literal))))
        value = Value(a.name, _without_size(a))
        new = replace(instr, args=args, results=(value,))
        self.made.append(new)
        self.forms.add(new)
        return value


def _without_size(a: Value) -> Scalar:
    t = a.type
    assert isinstance(t, Scalar)
    return Scalar(t.dtype, t.weak)


class _Once:
    """Drops a guard that stands in the same or an enclosing block already."""

    def __init__(self, forms: Forms) -> None:
        self.forms = forms

    def block(self, block: Block, seen: frozenset[Hashable]) -> Block:
        instrs: list[Instr] = []
        for instr in block.instrs:
            if guard_of(instr) is not None:
                key = condition_key(self.forms, instr.args[0])
                if key in seen:
                    continue
                seen |= {key}
            elif instr.blocks:
                instr = replace(instr, blocks=tuple(self.block(b, seen) for b in instr.blocks))
            instrs.append(instr)
        return Block(block.params, tuple(instrs), block.end)


def condition_key(forms: Forms, condition: Operand) -> Hashable:
    """Return what is equal for conditions that hold together."""
    maker = forms.maker.get(condition) if isinstance(condition, Value) else None
    if maker is None or maker.blocks or not maker.op.pure:
        return condition
    if all(map(is_integer, maker.args)):
        return (maker.op.name, *map(forms.of, maker.args))
    if maker.op.name in ("both", "either"):
        return (maker.op.name, *(condition_key(forms, a) for a in maker.args))
    return condition
