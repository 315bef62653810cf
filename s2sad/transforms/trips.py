"""The trips of a loop as functions of their own, for running and reversing them apart from the loop."""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.ir.builder import Builder, Sizes
from s2sad.ir.core import Block, End, Function, Instr, Literal, Operand, Value
from s2sad.ir.loops import at_loop_ends, carried, loop_ends
from s2sad.ir.tree import Static as StaticTree
from s2sad.ir.types import INT, Scalar
from s2sad.ir.walk import Copier, at_returns
from s2sad.ops.blocks import State
from s2sad.passes.sizes import added
from s2sad.record import dataclass, replace
from s2sad.transforms.custom import unlinked
from s2sad.transforms.fresh import silent
from s2sad.transforms.schedule import Trips, times
from s2sad.transforms.transpose import call, flat, pruned, reads_value


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """A loop that is to be reversed apart from its first run. Its trips read the slots, of which those at
    `active` have a derivative, then `free` values from around the loop, of which the first `varied` have one;
    these count as slots that do not change."""

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
    def counted(self) -> bool:
        """True if the number of trips is known before the first."""
        return self.indexed and all(end.kind == "yield" for end in loop_ends(self.instr.blocks[-1]))

    @property
    def bars(self) -> tuple[Value, ...]:
        """Return what has a cotangent in a trip."""
        return (*(self.slots[k] for k in self.active), *self.free[: self.varied])

    @property
    def flags(self) -> tuple[bool, ...]:
        """Return which of the slots and the values from around have a derivative."""
        slots = tuple(k in self.active for k in range(len(self.slots)))
        return (*slots, *(k < self.varied for k in range(len(self.free))))


def step(loop: Loop, sizes: Sizes) -> Function:
    """Return one trip as a function of its index (of a `for`), the slots and what is read around the loop: it
    returns the next slots."""
    body = loop.instr.blocks[-1]
    index = body.params[:1] if loop.indexed else ()
    block = at_loop_ends(body, lambda block: replace(block, end=replace(block.end, kind="return")))
    return _function(loop, sizes, "step", (*index, *loop.slots), block)


def segment(loop: Loop, sizes: Sizes) -> Function:
    """Return trips as a function of the first index, the one behind the last, the slots and what is read
    around the loop: it returns the slots after them."""
    ends = tuple(Value(name, Scalar(INT, True, sizes.fresh_int())) for name in ("start", "stop"))
    slots = tuple(Value(p.name, p.type) for p in loop.slots)
    results = tuple(Value(r.name, p.type) for r, p in zip(loop.instr.results, loop.slots, strict=True))
    run = replace(loop.instr, args=(*ends, loop.instr.args[2], *slots), results=results)
    block = Block((), (run,), End("return", results))
    return _function(loop, sizes, "segment", (*ends, *slots), block)


def _function(loop: Loop, sizes: Sizes, what: str, heads: tuple[Value, ...], block: Block) -> Function:
    copier = Copier(sizes)
    params = tuple(map(copier.define, (*heads, *loop.free)))
    made = copier.block(Block((), block.instrs, block.end))
    origin = loop.instr.origin
    name = _word(origin.file.removesuffix(".py")) if origin else "loop"
    whole = Function(f"{name}_{what}", params, made, (), StaticTree(None), origin=origin)
    return silent(flat(whole, params, made))


def restricted(fn: Function, loop: Loop, results: Sequence[Value]) -> Function:
    """Return a step or a segment that returns only the given slots, or values around the loop as they are."""
    places = {v: k for k, v in enumerate(loop.slots)}
    first = len(fn.params) - len(loop.free)
    held = dict(zip(loop.free, fn.params[first:], strict=True))

    def chosen(block: Block) -> Block:
        outs = block.end.args
        args = tuple(outs[places[v]] if v in places else held[v] for v in results)
        return replace(block, end=replace(block.end, args=args))

    return flat(fn, fn.params, at_returns(fn.block, chosen))


class Again:
    """How the trips of a loop are run again. `one`: a trip; `pulled`: the reversal of one, or of a segment.
    What the reversal of the loop reads begins with the slots before the loop, what is read around it, and
    the first index."""

    def __init__(self, loop: Loop, one: Function, pulled: Function):
        plain = replace(one, block=unlinked(one.block))  # what only runs again takes no derivative along
        self.loop, self.pulled = loop, pulled
        self.needed = needed_slots(plain, pulled, loop)
        self.advance = pruned(restricted(plain, loop, [loop.slots[k] for k in self.needed]))
        self.heads = len(loop.slots) + len(loop.free)  # then the first index
        self.by = loop.instr.args[2] if loop.indexed else Literal(1)

    def kept(self, reads: State, tapes: Sequence[Value]) -> State:
        """Return those of `tapes` among what is read around the loop."""
        around = zip(self.loop.free, reads[len(self.loop.slots) : self.heads], strict=True)
        return tuple(a for v, a in around if v in tapes)

    def first(self, reads: State) -> State:
        """Return the state before the first trip."""
        return tuple(reads[k] for k in self.needed)

    def operands(self, reads: State, state: State) -> State:
        """Return the slots, those that are not of the state as they were before the loop, and what is read
        around it."""
        held = dict(zip(self.needed, state, strict=True))
        return tuple(held.get(k, a) for k, a in enumerate(reads[: self.heads]))

    def index(self, b: Builder, reads: State, trip: Operand) -> State:
        """Append the index that the trip of a number sees, if trips see any."""
        return (added(b, reads[self.heads], times(b, trip, self.by)),) if self.loop.indexed else ()

    def trips(self, reads: State) -> Trips:
        """Return how the state goes on."""
        slots = [self.loop.slots[k] for k in self.needed]
        return Trips(
            tuple(v.type for v in slots),
            tuple(v.name or "state" for v in slots),
            self.loop.instr.blocks[-1].params[0].name if self.loop.indexed else "step",
            lambda b, trip, state: call(
                b, self.advance, (*self.index(b, reads, trip), *self.operands(reads, state))
            ),
        )


def needed_slots(step: Function, pulled: Function, loop: Loop) -> list[int]:
    """Return the slots whose values are needed to reverse a step or a segment, or to compute such ones."""
    count, first = len(loop.slots), int(loop.indexed)
    ahead = len(pulled.params) - len(loop.bars) - len(loop.free) - count
    found = {k for k in range(count) if reads_value(pulled.block, pulled.params[ahead + k])}
    while True:
        part = pruned(restricted(step, loop, [loop.slots[k] for k in sorted(found)]))
        more = {k for k in range(count) if reads_value(part.block, part.params[first + k])} - found
        if not more:
            return sorted(found)
        found |= more


def _word(text: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in text).strip("_<>") or "loop"
