"""Loops reversed from snapshots rather than tapes, where the caller has asked for it.

The forward sweep runs such a loop as it is and keeps nothing but what was there before it. The loop's results
are handed on by an instruction `linked` (see `custom.py`), whose reverse half runs the steps again between
snapshots (`schedule.py`) and reverses one step at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from s2sad.analysis.activity import Activity
from s2sad.errors import UnsupportedOp
from s2sad.ir.builder import Builder
from s2sad.ir.core import Block, End, Function, Instr, Literal, Operand, Value
from s2sad.ir.loops import LOOPS, at_loop_ends, carried, inits, loop_ends
from s2sad.ir.rule import Link, Read
from s2sad.ir.transformed import Scheme
from s2sad.ir.tree import Static as StaticTree
from s2sad.ir.types import WEAK_INT, Array, Scalar, Type, is_differentiable
from s2sad.ir.walk import Copier, at_returns, free_values
from s2sad.ops.control import LINKED
from s2sad.ops.table import OPS
from s2sad.passes.base import sizes_after
from s2sad.passes.rewrite import Rewriter
from s2sad.passes.sizes import Resolver, trip_count
from s2sad.record import dataclass
from s2sad.transforms.custom import unlinked
from s2sad.transforms.fresh import silent
from s2sad.transforms.recorded import recorded, why_not_recorded
from s2sad.transforms.rules import scalar_as, zero
from s2sad.transforms.schedule import State, Steps, reverse_steps
from s2sad.transforms.tape import storable
from s2sad.transforms.transpose import call, flat, pruned, reads_value

Derive = Callable[[Function, Sequence[bool]], Function]


def checkpointed(
    fn: Function, flowing: Activity, chosen: set[int], scheme: Scheme, derive: Derive
) -> Function:
    """Return the function (in tail form) with the outermost loops number `chosen` reversed by snapshots.
    `derive(step, active)` gives the vjp (without value) of a step."""
    maker = _Checkpointer(fn, flowing, chosen, scheme, derive)
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


@dataclass(frozen=True, slots=True, eq=False)
class _Loop:
    """A loop that is to be reversed by snapshots. Its steps read the slots, then `free` values from around
    the loop, of which the first `varied` have a derivative; these count as slots that do not change."""

    instr: Instr
    active: tuple[int, ...]
    free: tuple[Value, ...]
    varied: int

    @property
    def slots(self) -> tuple[Value, ...]:
        """Return the slots as the body sees them."""
        return carried(self.instr)

    @property
    def indexed(self) -> bool:
        """True if the body sees the number of the trip."""
        return self.instr.op.name == "for"

    @property
    def bars(self) -> tuple[Value, ...]:
        """Return what has a cotangent in a step."""
        return (*(self.slots[k] for k in self.active), *self.free[: self.varied])

    @property
    def flags(self) -> tuple[bool, ...]:
        """Return which parameters of a step have a derivative."""
        index = (False,) if self.indexed else ()
        slots = tuple(k in self.active for k in range(len(self.slots)))
        return (*index, *slots, *(k < self.varied for k in range(len(self.free))))


class _Checkpointer(Rewriter):
    def __init__(self, fn: Function, flowing: Activity, chosen: set[int], scheme: Scheme, derive: Derive):
        super().__init__()
        self.sizes, self.scheme, self.derive = sizes_after(fn), scheme, derive
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
        loop = _Loop(new, tuple(self.flowing.slots(old)), tuple(free), varied)
        run, trips = self.counted(b, run, tapes)
        lo: Operand = new.args[0] if loop.indexed else Literal(0)
        arguments = (*inits(new), *free, lo, trips)
        values = (*run.results[: len(new.results)], *free[:varied])
        threads: list[Value] = []
        if old in self.top.instrs:  # what is read after the loop adds to the cotangent first, as without
            threads = [Value(v.name, v.type) for v in free[:varied]]
        link = self.link(loop, arguments, len(threads), tapes)
        operands = (*values[: link.values], *arguments)
        b.add(Instr(LINKED, operands, (*new.results, *threads), (("link", link),), (), new.origin))
        for v, thread in zip(free, threads, strict=False):
            self.threads.add(thread)
            self.map[v] = thread
        return b.instrs

    def counted(self, b: Builder, instr: Instr, tapes: Sequence[Value]) -> tuple[Instr, Operand]:
        """Append the loop itself; return it and the number of trips, one left by `break` included."""
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

    def link(self, loop: _Loop, arguments: State, threads: int, tapes: Sequence[Value]) -> Link:
        """Return how the loop is reversed. `tapes`: what it has drawn, among the free values."""
        slots, count = loop.slots, len(loop.slots)
        step = self.step(loop)
        pulled = pruned(self.derive(restricted(step, loop, loop.bars), loop.flags))
        plain = replace(step, block=unlinked(step.block))  # what only runs again takes no derivative along
        needed = needed_slots(plain, pulled, loop)
        advance = pruned(restricted(plain, loop, tuple(slots[k] for k in needed)))
        b = Builder(self.sizes)
        b.role = "reverse"
        params = tuple(
            Value(a.name, a.type if isinstance(a, Value) else _slot_type(loop, j))
            for j, a in enumerate(arguments)
        )
        first, free, lo, trips = params[:count], params[count:-2], params[-2], params[-1]
        by = loop.instr.args[2] if loop.indexed else Literal(1)

        def operands(b: Builder, k: Operand, state: State) -> list[Operand]:
            held = {j: v for j, v in zip(needed, state, strict=True)}
            values = [held.get(j, first[j]) for j in range(count)]
            head = [b.emit(OPS["add"], lo, b.emit(OPS["multiply"], k, by))] if loop.indexed else []
            return [*head, *values, *free]

        def back(b: Builder, k: Operand, state: State, bars: State) -> State:
            return call(b, pulled, (*operands(b, k, state), *bars))

        steps = Steps(
            tuple(slots[k].type for k in needed),
            tuple(slots[k].name or "state" for k in needed),
            tuple(first[k] for k in needed),
            loop.instr.blocks[-1].params[0].name if loop.indexed else "step",
            trips,
            lambda b, k, state: call(b, advance, operands(b, k, state)),
            back,
        )
        kept = tuple(held for v, held in zip(loop.free, free, strict=True) if v in tapes)
        like = [Value(f"{v.name}_bar" if v.name else "bar", v.type) for v in loop.bars]
        seeds = [Value(v.name, v.type) for v in like]
        seeded = len(loop.active) + threads
        start = [*seeds[:seeded], *(zero(b, v) for v in free[threads : loop.varied])]
        bars = reverse_steps(b, steps, tuple(start), like, snapshot_count(b, self.scheme, steps, kept))
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
        whole = replace(step, name=f"{step.name}_rev", params=(*seeds[:seeded], *params), block=block)
        forward = flat(step, params, Block((), (), End("return", ())))
        reverse = flat(whole, whole.params, whole.block)
        return Link(forward, reverse, tuple(reads), count + threads, tuple(targets))

    def step(self, loop: _Loop) -> Function:
        """Return one trip as a function of its number, the slots and what is read around the loop: it returns
        the next slots."""
        body = loop.instr.blocks[-1]
        index = body.params[:1] if loop.indexed else ()
        block = _returning(body)
        params = (*index, *loop.slots, *loop.free)
        copier = Copier(self.sizes)
        fresh = tuple(map(copier.define, params))
        made = copier.block(Block((), block.instrs, block.end))
        name = loop.instr.origin.file.removesuffix(".py") if loop.instr.origin else "loop"
        whole = Function(f"{_word(name)}_step", fresh, made, (), StaticTree(None), origin=loop.instr.origin)
        return silent(flat(whole, fresh, made))


def restricted(step: Function, loop: _Loop, results: Sequence[Value]) -> Function:
    """Return a step that returns only the given slots, or values around the loop as they are."""
    places = {v: k for k, v in enumerate(loop.slots)}
    first = len(step.params) - len(loop.free)
    held = dict(zip(loop.free, step.params[first:], strict=True))

    def chosen(block: Block) -> Block:
        outs = block.end.args
        args = tuple(outs[places[v]] if v in places else held[v] for v in results)
        return replace(block, end=replace(block.end, args=args))

    return flat(step, step.params, at_returns(step.block, chosen))


def needed_slots(step: Function, pulled: Function, loop: _Loop) -> list[int]:
    """Return the slots whose values are needed to reverse a step, or to compute such ones."""
    count, first = len(loop.slots), int(loop.indexed)
    found = {k for k in range(count) if reads_value(pulled.block, pulled.params[first + k])}
    while True:
        part = pruned(restricted(step, loop, [loop.slots[k] for k in sorted(found)]))
        more = {k for k in range(count) if reads_value(part.block, part.params[first + k])} - found
        if not more:
            return sorted(found)
        found |= more


def check(instr: Instr, scope: Resolver) -> None:
    """Raise UnsupportedOp S206 if a loop cannot be run again from a snapshot."""
    why = why_not_recorded(instr, scope)
    if instr.op.name == "for" and not isinstance(instr.args[2], Literal):
        why = "its step is not a literal"
    for p, a, r in zip(carried(instr), inits(instr), instr.results, strict=True):
        if isinstance(p.type, Array) and not (p.type.shape == a.type.shape == r.type.shape):
            why = f"the size of `{p.name}` changes from trip to trip"
        elif not storable(p.type):
            why = f"`{p.name}` cannot be stored"
    if why:
        instead = "leave this loop out: put it in a function of its own, or use checkpoint='none'"
        raise UnsupportedOp("S206", f"this loop cannot be checkpointed: {why}", instead, instr.origin)


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
            total: Operand = Literal(8)
            for t, v in zip(steps.types, steps.first, strict=True):
                total = b.emit(OPS["add"], total, _bytes(b, v, t))
            budget: Operand = Literal(scheme.amount)
            for v in kept:
                budget = b.emit(OPS["subtract"], budget, _bytes(b, v, v.type))
            count = b.emit(OPS["floor_divide"], budget, total)
    fewer = b.emit(OPS["py_min"], count, steps.count)
    return b.emit(OPS["py_max"], fewer, Literal(1), name="snapshots")


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


def _returning(body: Block) -> Block:
    """Return a loop's body that returns the next slots where it yields them or breaks."""
    return at_loop_ends(body, lambda block: replace(block, end=replace(block.end, kind="return")))


def _slot_type(loop: _Loop, k: int) -> Type:
    return loop.slots[k].type if k < len(loop.slots) else WEAK_INT


def _word(text: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in text).strip("_<>") or "loop"
