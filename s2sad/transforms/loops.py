"""Reversing loops: the trips backwards, with the cotangents of carried values as carried values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence

from s2sad.analysis.activity import Activity
from s2sad.ir.core import Block, Instr, Literal, Operand, Value
from s2sad.ir.loops import carried, inits
from s2sad.ir.types import WEAK_INT, Array, Scalar, Type
from s2sad.ops.control import FOR
from s2sad.ops.table import OPS
from s2sad.passes.sizes import added, difference, trip_count
from s2sad.transforms.accumulate import Accumulator, Bar
from s2sad.transforms.exits import Counting, Exit
from s2sad.transforms.flow import Flow
from s2sad.transforms.plan import Plan
from s2sad.transforms.rules import zero
from s2sad.transforms.scope import Scope


class LoopReversal(ABC):
    """The part of the reverse sweep that deals with loops."""

    plan: Plan
    flow: Flow
    sums: Accumulator
    activity: Activity
    counting: dict[Instr, Counting]
    in_place: frozenset[Instr]  # instructions that are reversed where they stand, not in a later branch

    @abstractmethod
    def block(self, scope: Scope, block: Block) -> None:
        """Append the reversal of a block."""

    @abstractmethod
    def instr(self, scope: Scope, instr: Instr) -> None:
        """Append the reversal of an instruction."""

    @abstractmethod
    def fork(
        self, scope: Scope, condition: Operand, *arms: tuple[frozenset[Block], Callable[[Scope], None]]
    ) -> None:
        """Append an `if` whose arms change the cotangents."""

    def loop(self, scope: Scope, loop: Instr) -> None:
        """Append the reversal of a loop."""
        bars, start = self.sums.bars, inits(loop)
        slots: list[int] = []
        for k, r in enumerate(loop.results):
            if k not in self.activity.slots(loop):
                bars.pop(r, None)
            elif self.flow.passes_through(loop, k) and not self.leaves_with(loop, k):
                self.hand_on(scope, start[k], bars.pop(r, None))
            else:
                slots.append(k)
        if not any(loop.results[k] in bars for k in slots) and not self.plan.moves_cursors(loop):
            return
        counting = self.counting.get(loop)
        heads = {k: self.head(loop, k) for k in slots}
        if counting is not None and counting.partial:
            self.last_trip(scope, loop, heads, counting, counting.partial)
        if loop.blocks[-1].end.kind == "yield":
            scope.b.origin, scope.b.role = loop.origin, "reverse"
            self.trips(scope, loop, heads)
        for k in slots:
            self.hand_on(scope, start[k], self.sums.bars.pop(heads[k], None))

    def head(self, loop: Instr, k: int) -> Value:
        """Return the value under which the cotangent of a slot at the head of the last trip is handed on: the
        loop's result, but where an exit gives that another size."""
        p, result = carried(loop)[k], loop.results[k]
        counting = self.counting.get(loop)
        ways = counting.partial if counting is not None else []
        if p in self.plan.own_tapes or all(way.end.args[k].type.shape == p.type.shape for way in ways):
            return result
        assert isinstance(p.type, Array)
        own = Value(p.name, Array(p.type.dtype, tuple(self.plan.sizes.fresh() for _ in p.type.shape)))
        self.sums.whole_ones.add(own)
        return own

    def leaves_with(self, loop: Instr, k: int) -> bool:
        """True if some exit sets the slot."""
        counting = self.counting.get(loop)
        return counting is not None and any(e.end.args[k] is not carried(loop)[k] for e in counting.exits)

    def hand_on(self, scope: Scope, a: Operand, bar: Bar | None) -> None:
        """Add the cotangent of a slot to that of its initial value."""
        if bar is not None and isinstance(a, Value) and a in self.activity:
            self.sums.add(scope, a, bar.value, bar.mask)

    # completed trips

    def trips(self, scope: Scope, loop: Instr, heads: Mapping[int, Value]) -> None:
        """Append the loop over the completed trips, last first."""
        sums, body = self.sums, loop.blocks[-1]
        slots = [k for k in heads if not self.only_leaves(loop, k)] or list(heads)
        free = [
            v
            for v in self.flow.body_targets(loop)
            if not self.plan.program.inside(self.plan.program.block_of[v], body)
        ]
        cursors = self.plan.cursors_in(loop)
        begin = [sums.settled(scope, heads[k]) for k in slots] + [sums.settled(scope, v) for v in free]
        restored = [(k, p) for k, p in enumerate(carried(loop)) if p in self.plan.restored]
        begin += [self.cursor(scope, c) for c in cursors]
        begin += [scope.fetch(loop.results[k]) for k, _ in restored]
        cells = [self.plan.restored[p] for _, p in restored]
        names = [sums.name(carried(loop)[k]) for k in slots] + [sums.name(v) for v in free]
        names += [c.name for c in [*cursors, *cells]]
        types = self.slot_types(loop, slots, free, [*cursors, *cells])
        for n, k in enumerate(slots):
            if carried(loop)[k] in self.plan.own_tapes:
                types[n] = begin[n].type
        params = [Value(n, t) for n, t in zip(names, types, strict=True)]
        outer = sums.bars
        inner = scope.inner(body, loop=loop)
        inner.b.role = "reverse"
        header, index = self.header(scope, inner, loop)
        given = dict(zip([*slots, *free, *cursors, *cells], params, strict=True))
        sums.owned.update(params)
        sums.bars = {v: Bar(given[v]) for v in [*free, *cursors]}
        self.step_cursor(inner, loop)
        back = [self.step_back(inner, p, given[self.plan.restored[p]]) for _, p in restored]
        inner.open_flat(body)
        for k in slots:
            a = body.end.args[k]
            if isinstance(a, Value) and a in self.activity:
                sums.add(inner, a, given[k])
        self.block(inner, body)
        inner.b.origin, inner.b.role = loop.origin, "reverse"
        end = [self.slot_end(inner, carried(loop)[k], given[k]) for k in slots]
        end += [sums.settled(inner, v) for v in free] + [self.cursor(inner, c) for c in cursors] + back
        sums.bars = outer
        after = [p.type for p in params]
        for n, k in enumerate(slots):  # before the first trip it is the initial value's cotangent
            t = inits(loop)[k].type
            if isinstance(t, Array) and carried(loop)[k] not in self.plan.own_tapes:
                after[n] = t
        results = tuple(Value(p.name, t) for p, t in zip(params, after, strict=True))
        block = inner.b.block((index, *params), "yield", *end)
        scope.b.owner(FOR, (*header, *begin), (block,), results)
        final = dict(zip([*slots, *free, *cursors, *cells], results, strict=True))
        for k in slots:
            sums.bars[heads[k]] = Bar(final[k])
        for v in [*free, *cursors]:
            sums.bars[v] = Bar(final[v])
        sums.owned.update(results)

    def slot_end(self, scope: Scope, p: Value, given: Value) -> Operand:
        """Return the cotangent of a carried value at the head of a trip; `given`: that at its end."""
        if p not in self.sums.bars and p in self.plan.own_tapes:
            return zero(scope.b, given, given.type, self.sums.name(p))
        return self.sums.settled(scope, p)

    def slot_types(
        self, loop: Instr, slots: Sequence[int], free: Sequence[Value], cursors: Sequence[Value]
    ) -> list[Type]:
        """Return the types of the carried cotangents."""
        types = [self.sums.type_of(carried(loop)[k]) for k in slots]
        return types + [self.sums.type_of(v) for v in free] + [WEAK_INT for _ in cursors]

    def only_leaves(self, loop: Instr, k: int) -> bool:
        """True if a slot is only ever set on the way out."""
        return self.flow.passes_through(loop, k)

    def header(self, scope: Scope, inner: Scope, loop: Instr) -> tuple[tuple[Operand, ...], Value]:
        """Return the bounds of the reverse loop and its index; make the primal index known inside."""
        counting = self.counting.get(loop)
        body = loop.blocks[-1]
        if loop.op.name == "while":
            assert counting is not None
            k = Value("k", WEAK_INT)
            inner.have[counting.counter] = inner.number = k
            if loop not in self.plan.cursors:
                inner.cursor = k
            return (self.minus(scope, scope.fetch(counting.trips), 1), Literal(-1), Literal(-1)), k
        lo, hi, step = map(scope.fetch, loop.args[:3])
        i = body.params[0]
        by = (
            step.type.size.const
            if isinstance(step.type, Scalar) and step.type.size is not None and step.type.size.is_const
            else None
        )
        if by in (1, -1):
            index = Value(i.name, i.type)
            inner.have[i] = index
            if counting is None:
                self.number_unit(inner, loop, index, lo, by)
            return self.unit_header(scope, inner, loop, lo, hi, by), index
        k = Value("k", WEAK_INT)
        trips = scope.fetch(counting.trips) if counting is not None else trip_count(scope.b, lo, hi, step)
        offset = inner.b.emit(OPS["multiply"], k, step)
        inner.have[i] = inner.b.emit(OPS["add"], lo, offset, name=i.name)
        inner.number = k
        if counting is not None:
            inner.have[counting.counter] = k
            if loop not in self.plan.cursors:
                inner.cursor = k
        return (self.minus(scope, trips, 1), Literal(-1), Literal(-1)), k

    def unit_header(
        self, scope: Scope, inner: Scope, loop: Instr, lo: Operand, hi: Operand, by: int
    ) -> tuple[Operand, ...]:
        """Return the bounds of the reverse of a loop with step 1 or -1."""
        counting = self.counting.get(loop)
        if counting is not None:
            trips = scope.fetch(counting.trips)
            hi = self.plus(scope, lo, trips) if by == 1 else self.minus(scope, lo, trips)
            i = inner.have[loop.blocks[-1].params[0]]
            entry = self.minus(inner, i, lo) if by == 1 else self.minus(inner, lo, i)
            inner.have[counting.counter] = inner.number = entry
            if loop not in self.plan.cursors:
                inner.cursor = entry
        if by == 1:
            return self.minus(scope, hi, 1), self.minus(scope, lo, 1), Literal(-1)
        return self.plus(scope, hi, Literal(1)), self.plus(scope, lo, Literal(1)), Literal(1)

    def number_unit(self, inner: Scope, loop: Instr, index: Value, lo: Operand, by: int) -> None:
        """Make the number of the trip known, if something depends on it."""
        if any(p in self.plan.steps and self.plan.steps[p].inner is None for p in carried(loop)):
            inner.number = self.minus(inner, index, lo) if by == 1 else self.minus(inner, lo, index)

    def minus(self, scope: Scope, a: Operand, n: Operand | int) -> Operand:
        """Return `a - n`."""
        return difference(scope.b, a, Literal(n) if isinstance(n, int) else n)

    def plus(self, scope: Scope, a: Operand, n: Operand) -> Operand:
        """Return `a + n`."""
        return added(scope.b, a, n)

    # cursors of growing tapes

    def cursor(self, scope: Scope, cell: Value) -> Operand:
        """Return the cursor as it stands now."""
        bar = self.sums.bars.get(cell)
        return bar.value if bar is not None else scope.world.env[cell]

    def step_cursor(self, scope: Scope, loop: Instr) -> None:
        """Append the step back of a loop's cursor, at the head of a trip."""
        if loop in self.plan.cursors:
            cell = self.plan.cursors[loop]
            scope.b.role = "tape"
            scope.cursor = scope.b.emit(OPS["subtract"], self.cursor(scope, cell), Literal(1), name="cursor")
            self.sums.bars[cell] = Bar(scope.cursor)
            scope.b.role = "reverse"

    def step_back(self, scope: Scope, p: Value, after: Operand) -> Operand:
        """Append the step back of a carried int, at the head of a trip."""
        step = self.plan.steps[p]
        inner = step.inner
        assert inner is not None
        scope.b.role = "recompute"
        counting = self.counting.get(inner)
        if counting is not None:
            trips = scope.fetch(counting.trips)
        else:
            trips = trip_count(scope.b, *map(scope.fetch, inner.args[:3]))
        if step.amount != 1:
            trips = scope.b.emit(OPS["multiply"], trips, Literal(step.amount))
        scope.have[p] = scope.b.emit(OPS["subtract"], after, trips, name=p.name)
        scope.b.role = "reverse"
        return scope.have[p]

    # a trip that was left early

    def last_trip(
        self, scope: Scope, loop: Instr, heads: Mapping[int, Value], counting: Counting, ways: Sequence[Exit]
    ) -> None:
        """Append the reversal of the part of the last trip that ran, if the loop was left by one of `ways`.
        The cotangents of the loop's results become those of the slots at the head of that trip."""
        if not ways:
            for k, head in heads.items():
                if head is not loop.results[k]:
                    self.sums.bars[head] = Bar(self.sums.settled(scope, loop.results[k]))
                    self.sums.bars.pop(loop.results[k], None)
            return
        assert counting.code is not None
        code = scope.fetch(counting.code)
        bool_code = isinstance(code.type, Scalar) and code.type.dtype.kind == "b"
        if not bool_code:
            code = scope.b.emit(OPS["equal"], code, Literal(ways[0].code))
        self.fork(
            scope,
            code,
            (
                frozenset(block for block, _ in ways[0].path),
                lambda inner: self.left(scope, inner, loop, heads, counting, ways[0]),
            ),
            (frozenset(), lambda inner: self.last_trip(inner, loop, heads, counting, ways[1:])),
        )

    def left(
        self,
        scope: Scope,
        inner: Scope,
        loop: Instr,
        heads: Mapping[int, Value],
        counting: Counting,
        way: Exit,
    ) -> None:
        """Append the reversal of the trip that was left by one way, in the scope `inner` of its own."""
        inner.loop = loop
        self.enter_last(scope, inner, loop, counting)
        self.step_cursor(inner, loop)
        path = [block for block, _ in way.path]
        for block, count in reversed(way.path):
            inner.open_flat(block, count)
        outside = self.in_place
        self.in_place = outside | {i for block in path for i in block.instrs}
        given = {k: self.sums.bars.pop(loop.results[k], None) for k in heads}
        for k, bar in given.items():
            a = way.end.args[k]
            if bar is not None and isinstance(a, Value) and a in self.activity:
                self.sums.add(inner, a, bar.value, bar.mask)
        for block, count in reversed(way.path):
            for instr in reversed(block.instrs[:count]):
                self.instr(inner, instr)
        self.in_place = outside
        for k, head in heads.items():
            p = carried(loop)[k]
            if head is not loop.results[k]:
                self.sums.bars[head] = Bar(self.sums.settled(inner, p))
                self.sums.bars.pop(p, None)
            elif (bar := self.sums.bars.pop(p, None)) is not None:
                self.sums.bars[head] = bar

    def enter_last(self, scope: Scope, inner: Scope, loop: Instr, counting: Counting) -> None:
        """Make the index and counter of the trip that was left known in its scope."""
        trips = scope.fetch(counting.trips)
        inner.have[counting.counter] = inner.number = trips
        for k, p in enumerate(carried(loop)):
            if p in self.plan.restored:
                inner.have[p] = scope.fetch(loop.results[k])
        if loop not in self.plan.cursors:
            inner.cursor = trips
        if loop.op.name == "for":
            i = loop.blocks[0].params[0]
            lo, _, step = map(inner.fetch, loop.args[:3])
            by = step.value if isinstance(step, Literal) else None
            offset = trips if by == 1 else inner.b.emit(OPS["multiply"], trips, step)
            inner.have[i] = self.plus(inner, lo, offset)
