"""A loop whose number of trips is known before it, reversed in segments. Its first run keeps the state before
each stride; when a segment is to be reversed it runs once more, with a tape of its own.

With as many segments as each has trips, memory grows as the root of the number of trips, and each trip runs
twice. Where a budget in bytes has no room for a snapshot of each segment, a stride is of several, and their
states come from snapshots within it (`schedule.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from s2sad.ir.builder import Builder
from s2sad.ir.core import Instr, Literal, Operand, Value
from s2sad.ir.loops import carried, inits
from s2sad.ops.blocks import State, for_loop
from s2sad.ops.table import OPS
from s2sad.passes.sizes import added, difference
from s2sad.record import dataclass, replace
from s2sad.transforms.schedule import (
    Stack,
    Steps,
    Trips,
    read,
    reverse_steps,
    room,
    times,
    written,
)

Back = Callable[[Builder, Operand, Operand, State, State], State]
"""`(b, start, stop, state, bars)` appends the reversal of the trips from one number to before another."""


@dataclass(frozen=True, slots=True)
class Spans:
    """How a loop of `trips` is divided: a segment has `length` trips, and each of `count` strides of `stride`
    begins with a snapshot. `free`: the snapshots within a stride; None if that is one segment."""

    trips: Operand
    count: Operand
    length: Operand
    stride: Operand
    free: Operand | None = None

    def operands(self) -> State:
        """Return what the reverse sweep reads."""
        found = (self.trips, self.count, self.length)
        return found if self.free is None else (*found, self.stride, self.free)

    @staticmethod
    def of(operands: State) -> Spans:
        """Return the spans with these operands."""
        return Spans(*operands, operands[-1]) if len(operands) == 3 else Spans(*operands)

    def ends(self, b: Builder, k: Operand) -> tuple[Operand, Operand]:
        """Append the first trip of stride k and the one behind its last."""
        start = b.emit(OPS["multiply"], k, self.stride, name="start")
        stop = b.emit(OPS["py_min"], b.emit(OPS["add"], start, self.stride), self.trips, name="stop")
        return start, stop


def by_root(b: Builder, trips: Operand) -> Spans:
    """Append the division into as many segments as each has trips."""
    if isinstance(trips, Literal):
        n = int(trips.value.real)
        root = max(math.isqrt(n), 1)
        return Spans(trips, Literal(-(-n // root)), Literal(root), Literal(root))
    length = b.emit(OPS["py_max"], b.emit(OPS["math_isqrt"], trips), Literal(1), name="length")
    return Spans(trips, quotient(b, trips, length, "snapshots"), length, length)


def by_budget(b: Builder, trips: Operand, budget: Operand, snapshot: Operand, entry: Operand) -> Spans:
    """Append the division for so many bytes: a tape takes half of them at most. `snapshot` and `entry`: the
    bytes of a snapshot and of a trip's part of a tape, positive."""
    alike = trips
    if snapshot is not entry:
        alike = b.emit(OPS["floor_divide"], b.emit(OPS["multiply"], trips, snapshot), entry)
    most = b.emit(OPS["floor_divide"], budget, b.emit(OPS["multiply"], Literal(2), entry))
    fit = b.emit(OPS["py_min"], b.emit(OPS["math_isqrt"], alike), most)
    length = b.emit(OPS["py_max"], fit, Literal(1), name="length")
    left = b.emit(OPS["subtract"], budget, b.emit(OPS["multiply"], length, entry))
    places = b.emit(OPS["floor_divide"], left, snapshot, name="room")
    segments = b.emit(OPS["py_max"], quotient(b, trips, length), Literal(1), name="segments")
    half = b.emit(OPS["py_max"], b.emit(OPS["floor_divide"], places, Literal(2)), Literal(1))
    fits = b.emit(OPS["less"], segments, places)
    each = b.emit(OPS["where"], fits, Literal(1), quotient(b, segments, half))
    stride = b.emit(OPS["multiply"], length, each, name="stride")
    rest = b.emit(OPS["subtract"], places, quotient(b, segments, each))
    free = b.emit(OPS["py_max"], b.emit(OPS["py_min"], rest, each), Literal(1), name="free")
    return Spans(trips, quotient(b, trips, stride, "snapshots"), length, stride, free)


def quotient(b: Builder, a: Operand, n: Operand, name: str = "") -> Operand:
    """Append `a / n`, rounded up."""
    down = b.emit(OPS["floor_divide"], b.emit(OPS["negative"], a), n)
    return b.emit(OPS["negative"], down, name=name)


def keeping(
    b: Builder, run: Instr, needed: Sequence[int], trips: Trips, spans: Spans, same: Sequence[Value]
) -> tuple[Instr, State]:
    """Append a loop that runs stride by stride and keeps the slots `needed` before each; return it and the
    arrays that hold them. Its first results are those of `run`, made anew but for `same`."""
    lo, _, step = run.args[:3]
    first = inits(run)
    arrays = room(b, spans.count, trips, tuple(first[k] for k in needed))
    like = [*(Value(p.name, p.type) for p in carried(run)), *(Value(a.name, a.type) for a in arrays)]

    def stride(inner: Builder, k: Operand, state: State) -> Sequence[Operand]:
        now, held = state[: len(first)], state[len(first) :]
        held = written(inner, held, k, tuple(now[j] for j in needed), trips.types)
        ends = (index(inner, lo, n, step) for n in spans.ends(inner, k))
        results = tuple(Value(r.name, r.type) for r in run.results)
        inner.add(replace(run, args=(*ends, step, *now), results=results))
        return (*results, *held)

    made = (*run.results, *like[len(first) :])
    results = [r if r in same else Value(r.name, r.type) for r in made]
    bounds = (Literal(0), spans.count, Literal(1))
    out = for_loop(b, bounds, (*first, *arrays), like, "segment", stride, results)
    return b.instrs[-1], out[len(first) :]


def index(b: Builder, lo: Operand, trip: Operand, step: Operand) -> Operand:
    """Append the index that a trip sees."""
    return added(b, lo, times(b, trip, step))


def reverse_segments(
    b: Builder, trips: Trips, bars: State, like: Sequence[Value], spans: Spans, arrays: State, back: Back
) -> State:
    """Append the reversal of all trips from the snapshots in `arrays`; return what became of `bars`,
    cotangents and tapes, which have types and names like `like`."""
    last = difference(b, spans.count, Literal(1))
    stack = None if spans.free is None else Stack(trips, spans.free)
    held = () if stack is None else stack.room(b, arrays)
    like = (*like, *(Value(a.name, a.type) for a in held))

    def stride(inner: Builder, k: Operand, now: State) -> Sequence[Operand]:
        start, stop = spans.ends(inner, k)
        state = read(inner, arrays, k, trips)
        if stack is None:
            return back(inner, start, stop, state, now)

        def part(b: Builder, k: Operand, state: State, bars: State) -> State:
            begin = steps.begins(b, k)
            end = b.emit(OPS["py_min"], b.emit(OPS["add"], begin, spans.length), stop)
            return back(b, begin, end, state, bars)

        count = quotient(inner, inner.emit(OPS["subtract"], stop, start), spans.length, "segments")
        steps = Steps(trips, state, count, part, start, spans.length)
        bars, held = now[: len(now) - stack.width], now[len(now) - stack.width :]
        bars, held = reverse_steps(inner, steps, bars, like[: len(bars)], stack, held)
        return (*bars, *held)

    out = for_loop(b, (last, Literal(-1), Literal(-1)), (*bars, *held), like, "segment", stride)
    return out[: len(bars)]
