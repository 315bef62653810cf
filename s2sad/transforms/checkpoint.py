"""Loops reversed from snapshots rather than tapes, where the caller has asked for it.

The forward sweep runs such a loop as it is and keeps nothing but what was there before it. The loop's results
are handed on by an instruction `linked` (see `custom.py`), whose reverse half runs the steps again between
snapshots (`schedule.py`) and reverses one step at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from s2sad.analysis.activity import Activity
from s2sad.errors import UnsupportedOp
from s2sad.ir.builder import Builder
from s2sad.ir.core import Block, End, Function, Instr, Literal, Operand, Value
from s2sad.ir.loops import LOOPS, at_loop_ends, carried, inits, loop_ends
from s2sad.ir.rule import Link, Read
from s2sad.ir.transformed import Scheme
from s2sad.ir.types import WEAK_INT, Array, Scalar, Type, is_differentiable
from s2sad.ir.walk import free_values
from s2sad.ops.blocks import State
from s2sad.ops.control import LINKED
from s2sad.ops.table import OPS
from s2sad.passes.base import sizes_after
from s2sad.passes.rewrite import Rewriter
from s2sad.passes.sizes import Resolver, trip_count
from s2sad.record import dataclass, replace
from s2sad.transforms.recorded import recorded, why_not_recorded
from s2sad.transforms.rules import scalar_as, zero
from s2sad.transforms.schedule import Stack, Steps, reverse_steps
from s2sad.transforms.segments import Spans, by_budget, by_root, keeping, reverse_segments
from s2sad.transforms.tape import storable
from s2sad.transforms.taped import Taped
from s2sad.transforms.transpose import call, flat, pruned
from s2sad.transforms.trips import Again, Loop, restricted, segment, step

Derive = Callable[[Function, Sequence[bool]], Function]
DeriveTaped = Callable[[Function, Sequence[bool]], Taped | None]
Reversal = Callable[[Builder, State, State, Sequence[Value]], State]
"""`(b, reads, bars, like)` appends the reversal of a loop and returns what became of the cotangents `bars`,
which have types and names like `like`."""


def checkpointed(
    fn: Function, flowing: Activity, chosen: set[int], scheme: Scheme, derive: Derive, taped: DeriveTaped
) -> Function:
    """Return the function (in tail form) with the outermost loops number `chosen` reversed by snapshots.
    `derive(step, active)` gives the vjp (without value) of a step, `taped(segment, active)` that of trips
    with a tape."""
    maker = _Checkpointer(fn, flowing, chosen, scheme, derive, taped)
    return replace(fn, block=maker.block(fn.block))


def outermost_loops(block: Block) -> list[Instr]:
    """Return the loops that are in no other, in program order."""
    found: list[Instr] = []
    for instr in block.instrs:
        if instr.op.name in LOOPS:
            found.append(instr)
        else:
            for inner in instr.blocks:
                found += outermost_loops(inner)
    return found


@dataclass(frozen=True, slots=True)
class _Way:
    """How a loop is reversed: its first run, what the reversal reads beside the slots before the loop, what
    is read around it and the first index, and the reversal."""

    run: Instr
    more: State
    reversal: Reversal


class _Checkpointer(Rewriter):
    def __init__(
        self,
        fn: Function,
        flowing: Activity,
        chosen: set[int],
        scheme: Scheme,
        derive: Derive,
        taped: DeriveTaped,
    ):
        super().__init__()
        self.sizes, self.scheme, self.derive, self.taped = sizes_after(fn), scheme, derive, taped
        self.flowing = flowing
        self.threads: set[Value] = set()  # values with a derivative that were made here
        self.params = fn.params
        loops = outermost_loops(fn.block)
        self.chosen = {loops[k] for k in chosen}
        self.top = fn.block

    def flows(self, a: Operand) -> bool:
        """True if a derivative flows through a value."""
        return a in self.flowing or a in self.threads

    def visit(self, instr: Instr) -> Sequence[Instr]:
        new = self.inside(instr)
        return self.loop(new, instr) if instr in self.chosen else (new,)

    def loop(self, new: Instr, old: Instr) -> Sequence[Instr]:
        b = Builder(self.sizes, new.origin)
        scope = Resolver([*self.params, *free_values(new.blocks[-1])])
        check(new, scope)
        run, new, tapes = recorded(b, new, scope)
        free = list(free_values(new.blocks[-1]))
        free.sort(key=lambda v: not self.flows(v))
        varied = sum(map(self.flows, free))
        loop = Loop(new, tuple(self.flowing.slots(old)), tuple(free), varied)
        lo: Operand = new.args[0] if loop.indexed else Literal(0)
        reads = (*inits(new), *free, lo)
        way = self.in_segments(b, loop, run, reads, tapes) or self.by_steps(b, loop, run, tapes)
        reads = (*reads, *way.more)
        values = (*way.run.results[: len(new.results)], *free[:varied])
        threads: list[Value] = []
        if old in self.top.instrs:  # what is read after the loop adds to the cotangent first, as without
            threads = [Value(v.name, v.type) for v in free[:varied]]
        link = self.link(loop, reads, len(threads), way.reversal)
        operands = (*values[: link.values], *reads)
        b.add(Instr(LINKED, operands, (*new.results, *threads), (("link", link),), (), new.origin))
        for v, thread in zip(free, threads, strict=False):
            self.threads.add(thread)
            self.map[v] = thread
        return b.instrs

    def by_steps(self, b: Builder, loop: Loop, run: Instr, tapes: Sequence[Value]) -> _Way:
        """Append the loop itself, for a reversal step by step between snapshots that the reverse sweep
        makes. `tapes`: what it has drawn, among the free values."""
        run, trips = counted(b, run, tapes)
        one = step(loop, self.sizes)
        flags = (*(False,) * loop.indexed, *loop.flags)
        again = Again(loop, one, pruned(self.derive(restricted(one, loop, loop.bars), flags)))

        def reversal(b: Builder, reads: State, bars: State, like: Sequence[Value]) -> State:
            def back(b: Builder, k: Operand, state: State, bars: State) -> State:
                trip = again.index(b, reads, k)
                return call(b, again.pulled, (*trip, *again.operands(reads, state), *bars))

            steps = Steps(again.trips(reads), again.first(reads), reads[-1], back)
            count = snapshot_count(b, self.scheme, steps, again.kept(reads, tapes))
            stack = Stack(steps.trips, count)
            return reverse_steps(b, steps, bars, like, stack, stack.room(b, steps.first))[0]

        return _Way(run, (trips,), reversal)

    def in_segments(
        self, b: Builder, loop: Loop, run: Instr, reads: State, tapes: Sequence[Value]
    ) -> _Way | None:
        """Append the loop with snapshots now and then, for a reversal in segments; None if it is to be
        reversed step by step."""
        if self.scheme.kind == "snapshots" or not loop.counted:
            return None
        whole = restricted(segment(loop, self.sizes), loop, loop.bars)
        found = self.taped(whole, (False, False, *loop.flags))
        if found is None:
            return None
        again = Again(loop, step(loop, self.sizes), pruned(found.fn))
        drawn = tuple(a for a, r in zip(inits(run), run.results, strict=True) if r in tapes)
        trips = b.named(trip_count(b, *run.args[:3]), "trips")
        spans = self.spans(b, again, found, reads, trips, drawn)
        run, arrays = keeping(b, run, again.needed, again.trips(reads), spans, tapes)
        more = spans.operands()

        def reversal(b: Builder, reads: State, bars: State, like: Sequence[Value]) -> State:
            def back(b: Builder, start: Operand, stop: Operand, state: State, bars: State) -> State:
                ends = (*again.index(b, reads, start), *again.index(b, reads, stop))
                slots, held = bars[: len(like)], bars[len(like) :]
                return call(b, again.pulled, (*ends, *again.operands(reads, state), *slots, *held))

            first = len(reads) - len(more) - len(arrays)
            of, snapshots = Spans.of(reads[first : first + len(more)]), reads[first + len(more) :]
            held = found.room(b, of.length, reads[: again.heads])
            also = [Value(a.name, a.type) for a in held]
            trips = again.trips(reads)
            return reverse_segments(b, trips, (*bars, *held), (*like, *also), of, snapshots, back)[
                : len(like)
            ]

        return _Way(run, (*more, *arrays), reversal)

    def spans(
        self, b: Builder, again: Again, found: Taped, reads: State, trips: Operand, drawn: State
    ) -> Spans:
        """Append the division of a loop into segments. `drawn`: arrays for what the loop draws."""
        if self.scheme.kind == "sqrt":
            return by_root(b, trips)
        each = entry = b.named(bytes_of(b, again.first(reads), again.trips(reads).types), "each")
        slots = found.fn.params[2 : 2 + len(again.loop.slots)]
        if sorted(map(str, found.entries)) != sorted(str(slots[k].type) for k in again.needed):
            entry = found.bytes(b, reads[: again.heads])
        return by_budget(b, trips, budget(b, self.scheme, drawn), each, entry)

    def link(self, loop: Loop, arguments: State, threads: int, reversal: Reversal) -> Link:
        """Return what hands on the loop's results and reverses it."""
        count = len(loop.slots)
        b = Builder(self.sizes)
        b.role = "reverse"
        params = tuple(
            Value(a.name, a.type if isinstance(a, Value) else _slot_type(loop, j))
            for j, a in enumerate(arguments)
        )
        free = params[count : count + len(loop.free)]
        like = [Value(f"{v.name}_bar" if v.name else "bar", v.type) for v in loop.bars]
        seeds = [Value(v.name, v.type) for v in like]
        seeded = len(loop.active) + threads
        start = [*seeds[:seeded], *(zero(b, v) for v in free[threads : loop.varied])]
        bars = reversal(b, params, tuple(start), like)
        targets, outs = [], []
        for j, bar in enumerate(bars):
            place = loop.active[j] if j < len(loop.active) else count + j - len(loop.active)
            if isinstance(arguments[place], Value) and is_differentiable(arguments[place].type):
                targets.append(place)
                t = arguments[place].type
                outs.append(scalar_as(b, bar, t) if isinstance(t, Scalar) else bar)
        reads: list[Read] = [("seed", k) for k in loop.active]
        reads += [("seed", count + k) for k in range(threads)]
        reads += [("argument", k) for k in range(len(params))]
        block = b.block((), "return", *outs)
        whole = step(loop, self.sizes)
        whole = replace(whole, name=f"{whole.name}_rev", params=(*seeds[:seeded], *params), block=block)
        forward = flat(whole, params, Block((), (), End("return", ())))
        reverse = flat(whole, whole.params, whole.block)
        return Link(forward, reverse, tuple(reads), count + threads, tuple(targets))


def check(instr: Instr, scope: Resolver) -> None:
    """Raise UnsupportedOp S206 if a loop cannot be run again from a snapshot."""
    why = why_not_recorded(instr, scope)
    if instr.op.name == "for" and not isinstance(instr.args[2], Literal):
        why = "its step is not a literal"
    for p, a, r in zip(carried(instr), inits(instr), instr.results, strict=True):
        if isinstance(p.type, Array) and not (p.type.shape == a.type.shape == r.type.shape):
            why = f"the size of `{p.name}` may change from trip to trip"
        elif not storable(p.type):
            why = f"`{p.name}` cannot be stored"
    if why:
        instead = "leave this loop out: put it in a function of its own, or use checkpoint='none'"
        raise UnsupportedOp("S206", f"this loop cannot be checkpointed: {why}", instead, instr.origin)


def counted(b: Builder, instr: Instr, tapes: Sequence[Value]) -> tuple[Instr, Operand]:
    """Append a loop itself; return it and the number of trips, one left by `break` included."""
    indexed = instr.op.name == "for"
    results = tuple(r if r in tapes else Value(r.name, r.type) for r in instr.results)
    if indexed and all(end.kind == "yield" for end in loop_ends(instr.blocks[-1])):
        run = replace(instr, results=results)
        b.add(run)
        return run, trip_count(b, *instr.args[:3])
    counter, trips = Value("trips", WEAK_INT), Value("trips", WEAK_INT)
    body = _counting(instr.blocks[-1], counter, instr)
    blocks: tuple[Block, ...] = (replace(body, params=(*body.params, counter)),)
    if not indexed:
        cond = instr.blocks[0]
        blocks = (replace(cond, params=(*cond.params, Value("trips", WEAK_INT))), *blocks)
    run = replace(instr, args=(*instr.args, Literal(0)), blocks=blocks, results=(*results, trips))
    b.add(run)
    return run, trips


def snapshot_count(b: Builder, scheme: Scheme, steps: Steps, kept: State) -> Operand:
    """Append the number of snapshots: at least one, and at most one per step. Of a budget in bytes, what is
    `kept` beside them takes its part."""
    match scheme.kind:
        case "sqrt":
            twice = b.emit(OPS["multiply"], Literal(2), steps.count)  # each step is run twice at most
            count: Operand = b.emit(OPS["add"], b.emit(OPS["math_isqrt"], twice), Literal(1))
        case "snapshots":
            count = Literal(scheme.amount)
        case _:
            room = budget(b, scheme, kept)
            count = b.emit(OPS["floor_divide"], room, bytes_of(b, steps.first, steps.trips.types))
    fewer = b.emit(OPS["py_min"], count, steps.count)
    return b.emit(OPS["py_max"], fewer, Literal(1), name="snapshots")


def budget(b: Builder, scheme: Scheme, kept: State) -> Operand:
    """Append the bytes that are left of a budget beside what is kept anyway."""
    left: Operand = Literal(scheme.amount)
    for v in kept:
        left = b.emit(OPS["subtract"], left, _bytes(b, v, v.type))
    return left


def bytes_of(b: Builder, state: State, types: Sequence[Type]) -> Operand:
    """Append the bytes of a snapshot: its state, and the number of its trip."""
    total: Operand = Literal(8)
    for v, t in zip(state, types, strict=True):
        total = b.emit(OPS["add"], total, _bytes(b, v, t))
    return total


def _bytes(b: Builder, v: Operand, t: Type) -> Operand:
    size: Operand = Literal(t.dtype.itemsize)
    for axis in range(t.ndim):
        size = b.emit(OPS["multiply"], size, b.emit(OPS["size"], v, axis=axis))
    return size


def _counting(body: Block, counter: Value, loop: Instr) -> Block:
    """Return a loop's body that counts its trips."""

    def change(block: Block) -> Block:
        plus = Instr(OPS["add"], (counter, Literal(1)), (Value("trips", WEAK_INT),), (), (), loop.origin)
        end = replace(block.end, args=(*block.end.args, plus.result))
        return Block(block.params, (*block.instrs, plus), end)

    return at_loop_ends(body, change)


def _slot_type(loop: Loop, k: int) -> Type:
    return loop.slots[k].type if k < len(loop.slots) else WEAK_INT
