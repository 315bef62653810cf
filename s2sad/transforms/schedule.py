"""The reversal of a loop from a bounded number of snapshots: binomial checkpointing.

A. Griewank, A. Walther, Algorithm 799: revolve (2000): with s snapshots and each step run at most t times,
C(s + t, s) steps can be reversed. A snapshot is the state before a step; the state of the step to be reversed
is computed from the last snapshot before it, and the snapshots that are free are placed on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from s2sad.ir.builder import Builder
from s2sad.ir.core import Literal, Operand, Value
from s2sad.ir.path import At, Index, Path, Span
from s2sad.ir.types import INT, WEAK_BOOL, WEAK_INT, Array, Scalar, Type, python_number
from s2sad.ops.blocks import State, branch, for_loop, while_loop
from s2sad.ops.table import OPS
from s2sad.passes.sizes import added
from s2sad.record import dataclass

Fill = Callable[[Builder, State], Sequence[Operand]]


@dataclass(frozen=True, slots=True)
class Trips:
    """How the state of a loop goes on: its types and names; `advance(b, trip, state)` appends the trip of a
    number, which loops over trips call `index`."""

    types: tuple[Type, ...]
    names: tuple[str, ...]
    index: str
    advance: Callable[[Builder, Operand, State], State]

    @property
    def slots(self) -> list[Value]:
        """Return values for the state."""
        return [Value(n, t) for n, t in zip(self.names, self.types, strict=True)]


@dataclass(frozen=True, slots=True)
class Steps:
    """Trips to be reversed in `count` steps of `length` trips, the last one perhaps shorter, from the state
    `first` before trip `start`. `back(b, k, state, bars)` appends the reversal of step k."""

    trips: Trips
    first: State
    count: Operand
    back: Callable[[Builder, Operand, State, State], State]
    start: Operand = Literal(0)
    length: Operand = Literal(1)

    def begins(self, b: Builder, k: Operand) -> Operand:
        """Append the number of the first trip of step k."""
        return added(b, self.start, times(b, k, self.length))


def reverse_steps(
    b: Builder, steps: Steps, bars: State, like: Sequence[Value], stack: Stack, arrays: State
) -> tuple[State, State]:
    """Append the reversal of all steps with the arrays of a stack of snapshots; return what became of
    `bars`, which have types and names like `like`, and of the arrays."""
    state = stack.push(b, arrays, Literal(0), Literal(0), steps.first)
    carried = [Value("last", WEAK_INT), *(Value(v.name, v.type) for v in state)]
    carried += (Value(v.name, v.type) for v in like)
    high = b.emit(OPS["subtract"], steps.count, Literal(1))

    def trip(inner: Builder, k: Operand, slots: State) -> Sequence[Operand]:
        top, arrays, now = slots[0], slots[1 : 1 + stack.width], slots[1 + stack.width :]
        top, arrays, values = stack.bring(inner, steps, k, top, arrays)
        now = steps.back(inner, k, values, now)
        placed = inner.emit(OPS["to_int"], inner.emit(OPS["getitem"], arrays[-1], top, path=_entry(WEAK_INT)))
        (spent,) = branch(
            inner,
            inner.emit(OPS["greater"], top, Literal(0)),
            [Value("", WEAK_BOOL)],
            lambda other: (other.emit(OPS["equal"], placed, k),),
            lambda other: (Literal(False),),
        )
        (top,) = branch(
            inner,
            spent,
            [Value("last", WEAK_INT)],
            lambda other: (other.emit(OPS["subtract"], top, Literal(1), name="last"),),
            lambda other: (top,),
        )
        return (top, *arrays, *now)

    bounds = (high, Literal(-1), Literal(-1))
    out = for_loop(b, bounds, (Literal(0), *state, *bars), carried, steps.trips.index, trip)
    return out[1 + stack.width :], out[1 : 1 + stack.width]


class Stack:
    """At most `count` (at least 1) snapshots, last one on top: an array for each part of the state, and one
    of the numbers of their steps."""

    def __init__(self, trips: Trips, count: Operand):
        self.trips, self.count = trips, count
        self.width = len(trips.types) + 1

    def room(self, b: Builder, like: State) -> State:
        """Append the arrays for states like the given one, or for snapshots like these."""
        return (
            *room(b, self.count, self.trips, like),
            b.emit(OPS["empty"], self.count, name="steps_at", dtype=INT),
        )

    def push(self, b: Builder, arrays: State, top: Operand, k: Operand, state: State) -> State:
        """Append the writing of a snapshot of step k."""
        return written(b, arrays, top, (*state, k), (*self.trips.types, WEAK_INT))

    def read(self, b: Builder, arrays: State, top: Operand) -> tuple[Operand, State]:
        """Append the reading of a snapshot: its step and its state."""
        values = read(b, arrays, top, self.trips)
        at = b.emit(OPS["getitem"], arrays[-1], top, path=_entry(WEAK_INT))
        return b.emit(OPS["to_int"], at, name="k"), values

    def bring(
        self, b: Builder, steps: Steps, goal: Operand, top: Operand, arrays: State
    ) -> tuple[Operand, State, State]:
        """Append what computes the state before step `goal`, with snapshots on the way."""
        k, state = self.read(b, arrays, top)
        slots = [Value("k", WEAK_INT), Value("last", WEAK_INT)]
        slots += (Value(a.name, a.type) for a in arrays)
        slots += self.trips.slots
        count = len(arrays)

        def test(inner: Builder, s: State) -> Operand:
            return inner.emit(OPS["less"], s[0], goal)

        def body(inner: Builder, s: State) -> Sequence[Operand]:
            k, top, arrays, state = s[0], s[1], s[2 : 2 + count], s[2 + count :]
            free = inner.emit(OPS["subtract"], inner.emit(OPS["subtract"], self.count, Literal(1)), top)
            far = inner.emit(OPS["subtract"], goal, k)
            ahead = distance(inner, far, free)
            new = inner.emit(OPS["add"], k, ahead, name="k")
            bounds = (steps.begins(inner, k), steps.begins(inner, new), Literal(1))
            trips = self.trips
            state = for_loop(inner, bounds, state, trips.slots, trips.index, trips.advance)
            more = inner.emit(OPS["less"], new, goal)

            def keep(kept: Builder) -> Sequence[Operand]:
                up = kept.emit(OPS["add"], top, Literal(1), name="last")
                return (up, *self.push(kept, arrays, up, new, state))

            like = [Value("last", WEAK_INT), *(Value(a.name, a.type) for a in arrays)]
            top, *after = branch(inner, more, like, keep, lambda kept: (top, *arrays))
            return (new, top, *after, *state)

        out = while_loop(b, (k, top, *arrays, *state), slots, test, body)
        return out[1], out[2 : 2 + count], out[2 + count :]


def distance(b: Builder, far: Operand, free: Operand) -> Operand:
    """Append how many steps to advance before the next snapshot, where the step `far` ahead is to be reversed
    first and `free` snapshots are not in use: all, if there are none."""
    length = b.emit(OPS["add"], far, Literal(1))

    def some(inner: Builder) -> Sequence[Operand]:
        def test(cond: Builder, s: State) -> Operand:
            reach = cond.emit(
                OPS["math_comb"], cond.emit(OPS["add"], cond.emit(OPS["add"], free, s[0]), Literal(1)), s[0]
            )
            return cond.emit(OPS["less"], reach, length)

        def body(more: Builder, s: State) -> Sequence[Operand]:
            return (more.emit(OPS["add"], s[0], Literal(1), name="runs"),)

        (runs,) = while_loop(inner, (Literal(1),), [Value("runs", WEAK_INT)], test, body)
        right = inner.emit(OPS["math_comb"], inner.emit(OPS["add"], free, runs), runs)
        least = inner.emit(OPS["subtract"], length, right)
        below = inner.emit(OPS["subtract"], inner.emit(OPS["add"], free, runs), Literal(1))
        before = inner.emit(OPS["math_comb"], below, inner.emit(OPS["add"], free, Literal(1)))
        return (inner.emit(OPS["py_max"], inner.emit(OPS["py_max"], least, before), Literal(1)),)

    positive = b.emit(OPS["greater"], free, Literal(0))
    return branch(b, positive, [Value("ahead", WEAK_INT)], some, lambda inner: (far,))[0]


def weakened(b: Builder, a: Operand, t: Type, name: str = "") -> Operand:
    """Append the Python number that an element of an array was, if it was one."""
    if not isinstance(t, Scalar) or not t.weak:
        return a
    return b.emit(OPS[python_number(t)], a, name=name)


def times(b: Builder, a: Operand, n: Operand) -> Operand:
    """Append `a * n`."""
    if a == Literal(0) or n == Literal(1):
        return a
    return n if a == Literal(1) else b.emit(OPS["multiply"], a, n)


# --- snapshots --------------------------------------------------------------------------------------------


def room(b: Builder, count: Operand, trips: Trips, like: State) -> State:
    """Append the arrays that hold so many snapshots of a state like the given one, or like such arrays."""
    arrays = []
    for t, name, v in zip(trips.types, trips.names, like, strict=False):
        dims = [b.emit(OPS["size"], v, axis=k) for k in range(v.type.ndim - t.ndim, v.type.ndim)]
        arrays.append(b.emit(OPS["empty"], count, *dims, name=f"{name}_at", dtype=t.dtype))
    return tuple(arrays)


def written(b: Builder, arrays: State, k: Operand, state: State, types: Sequence[Type]) -> State:
    """Append the writing of snapshot k."""
    out = []
    for array, v, t in zip(arrays, state, types, strict=True):
        out.append(b.emit(OPS["setitem"], array, v, k, name=array.name, path=_entry(t)))
    return tuple(out)


def read(b: Builder, arrays: State, k: Operand, trips: Trips) -> State:
    """Append the reading of snapshot k."""
    values = []
    for array, t, name in zip(arrays, trips.types, trips.names, strict=False):
        named = "" if isinstance(t, Array) else name
        v: Operand = b.emit(OPS["getitem"], array, k, name=named, path=_entry(t))
        if isinstance(t, Array):  # a copy: the snapshot stays as it is
            v = b.retype(b.emit(OPS["copy"], b.retype(v, t), name=name), t)
        values.append(weakened(b, v, t, name))
    return tuple(values)


def _entry(t: Type) -> Path:
    return (Index((At(), *(Span() for _ in range(t.ndim)))),)
