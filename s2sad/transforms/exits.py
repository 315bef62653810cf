"""Counting the trips of loops whose number of trips is not known beforehand.

The reverse sweep runs over the completed trips. A trip that was left by `break` counts as completed if
no derivative flows differently because of it; if nothing differentiable happened in it, it is not counted
at all; else a code says by which exit it was left, and the reverse sweep begins with the part that ran.
"""

from __future__ import annotations

from collections.abc import Callable

from s2sad.analysis.activity import Activity
from s2sad.ir.builder import Sizes
from s2sad.ir.core import Block, End, Function, Instr, Literal, Operand, Value
from s2sad.ir.loops import LOOPS, carried, inits
from s2sad.ir.types import INT, WEAK_BOOL, WEAK_INT, Scalar
from s2sad.ir.walk import expanded
from s2sad.ops.table import OPS
from s2sad.passes.base import sizes_after
from s2sad.record import dataclass, replace


@dataclass(frozen=True, slots=True)
class Exit:
    """A way out of a loop: `path` leads from the body to the block that breaks, as (block, number of
    its instructions that ran before)."""

    path: tuple[tuple[Block, int], ...]
    kind: str  # `none`: nothing to reverse, `full`: as a completed trip, `partial`
    code: int = 0  # of a partial one

    @property
    def end(self) -> End:
        """Return the `break`."""
        return self.path[-1][0].end


@dataclass(frozen=True, slots=True)
class Counting:
    """How the trips of one loop are counted: its body, the counter as the body sees it, its final value, the
    final exit code (None if no exit needs one), and the exits."""

    body: Block
    counter: Value
    trips: Value
    code: Value | None
    exits: tuple[Exit, ...]

    @property
    def partial(self) -> list[Exit]:
        """Return the exits after which a part of a trip is to be reversed."""
        return [e for e in self.exits if e.kind == "partial"]


def count_trips(fn: Function, activity: Activity) -> tuple[Function, dict[Instr, Counting]]:
    """Return the function with counters in the loops that need them, and what they are."""
    counter = _Counter(activity, sizes_after(fn))
    return replace(fn, block=expanded(fn.block, counter.instr)), counter.found


class _Counter:
    def __init__(self, activity: Activity, sizes: Sizes):
        self.activity, self.sizes = activity, sizes
        self.found: dict[Instr, Counting] = {}

    def instr(self, instr: Instr) -> list[Instr]:
        counts = instr.op.name in LOOPS and self.needs_count(instr)
        return [self.counted(instr) if counts else instr]

    def needs_count(self, loop: Instr) -> bool:
        if loop.op.name == "for" and not _exits(loop.blocks[-1]):
            return False
        inside = any(r in self.activity for instr in loop.blocks[-1].walk() for r in instr.results)
        return inside or bool(self.activity.slots(loop))

    def counted(self, instr: Instr) -> Instr:
        body = instr.blocks[-1]
        slots = self.activity.slots(instr)
        kinds = {path[-1][0]: self.kind(instr, slots, path[-1][0].end) for path in _exits(body)}
        partial = [b for b, kind in kinds.items() if kind == "partial"]
        flag = _flag(instr, partial, list(kinds))
        coded = bool(partial) and flag is None
        own = None if coded else _own_count(instr, kinds)
        if own is not None:
            ends = [(path, kinds[path[-1][0]]) for path in _exits(body)]
            exits = tuple(Exit(path, kind, int(kind == "partial")) for path, kind in ends)
            self.found[instr] = Counting(body, carried(instr)[own], instr.results[own], flag, exits)
            return instr
        counter = Value("trips", WEAK_INT)
        trips = Value("trips", Scalar(INT, weak=True, size=self.sizes.fresh()))
        plus = _next(counter, instr)
        single = len(partial) == 1
        none = Literal(False) if single else Literal(0)
        code = Value("broke" if single else "exit", WEAK_BOOL if single else WEAK_INT)
        code_result = Value(code.name, code.type)

        def ending(block: Block) -> tuple[list[Instr], tuple[Operand, ...]]:
            kind = kinds.get(block, "full")
            more = [plus] if block is body else [_next(counter, instr)] if kind == "full" else []
            number: Operand = more[0].result if kind == "full" else counter
            which: Operand = code
            if kind == "partial":
                which = Literal(True) if single else Literal(partial.index(block) + 1)
            return more, (number, which) if coded else (number,)

        params = (counter, code) if coded else (counter,)
        fresh: dict[Block, Block] = {}
        new_body = _append(Block((*body.params, *params), body.instrs, body.end), body, ending, fresh)
        blocks: tuple[Block, ...] = (new_body,)
        if instr.op.name == "while":
            cond = instr.blocks[0]
            unused = tuple(Value(p.name, p.type) for p in params)
            blocks = (replace(cond, params=(*cond.params, *unused)), new_body)
        begin: tuple[Operand, ...] = (Literal(0), none) if coded else (Literal(0),)
        results = (trips, code_result) if coded else (trips,)
        new = replace(instr, args=(*instr.args, *begin), results=(*instr.results, *results), blocks=blocks)
        old = {fresh[b]: b for b in kinds}
        codes = {b: k + 1 for k, b in enumerate(partial)}
        exits = tuple(
            Exit(path, kinds[old[path[-1][0]]], codes.get(old[path[-1][0]], 0)) for path in _exits(new_body)
        )
        self.found[new] = Counting(new_body, counter, trips, code_result if coded else flag, exits)
        return new

    def kind(self, loop: Instr, slots: list[int], end: End) -> str:
        params, body = carried(loop), loop.blocks[-1]
        if all(end.args[k] is params[k] for k in slots):
            return "none"
        if body.end.kind == "yield" and all(end.args[k] == body.end.args[k] for k in slots):
            return "full"
        return "partial"


def _next(counter: Value, loop: Instr) -> Instr:
    out = Value("trips", WEAK_INT)
    return Instr(OPS["add"], (counter, Literal(1)), (out,), (), (), loop.origin, "tape")


def _flag(loop: Instr, partial: list[Block], breaks: list[Block]) -> Value | None:
    """Return the result of a slot that already tells whether the loop was left by its one partial exit."""
    if len(partial) != 1:
        return None
    ends = [b.end for b in breaks if b is not partial[0]] + [loop.blocks[-1].end]
    for k, p in enumerate(carried(loop)):
        stays = all(e.kind not in ("break", "yield") or e.args[k] is p for e in ends)
        if inits(loop)[k] == Literal(False) and partial[0].end.args[k] == Literal(True) and stays:
            return loop.results[k]
    return None


def _own_count(loop: Instr, kinds: dict[Block, str]) -> int | None:
    """Return the slot, if there is one, in which the program itself counts its trips from 0."""
    if loop.op.name != "for" or loop.args[0] != Literal(0) or loop.args[2] != Literal(1):
        return None
    body = loop.blocks[0]
    index = body.params[0].type
    if not isinstance(index, Scalar) or index.size is None:
        return None
    for k, p in enumerate(carried(loop)):
        ended = [body.end.args[k]] + [b.end.args[k] for b, kind in kinds.items() if kind == "full"]
        stopped = [b.end.args[k] for b, kind in kinds.items() if kind != "full"]
        counted = all(isinstance(a.type, Scalar) and a.type.size == index.size + 1 for a in ended)
        if counted and inits(loop)[k] == Literal(0) and all(a is p for a in stopped):
            return k
    return None


def _exits(body: Block) -> list[tuple[tuple[Block, int], ...]]:
    """Return the paths to all breaks of a loop."""
    found: list[tuple[tuple[Block, int], ...]] = []

    def visit(block: Block, path: tuple[tuple[Block, int], ...]) -> None:
        for k, instr in enumerate(block.instrs):
            if instr.op.name == "if":
                for inner in instr.blocks:
                    visit(inner, (*path, (block, k)))
        if block.end.kind == "break":
            found.append((*path, (block, len(block.instrs))))

    visit(body, ())
    return found


Ending = Callable[[Block], tuple[list[Instr], tuple[Operand, ...]]]


def _append(block: Block, key: Block, ending: Ending, fresh: dict[Block, Block]) -> Block:
    """Return the block with what `ending` says appended to the loop's own ends; `fresh` tells which
    new block a breaking one became."""
    instrs: list[Instr] = []
    for instr in block.instrs:
        if instr.op.name == "if":
            inner = tuple(_append(b, b, ending, fresh) if _has_exit(b) else b for b in instr.blocks)
            instr = replace(instr, blocks=inner)
        instrs.append(instr)
    end = block.end
    if end.kind == "break" or (key is not block and end.kind == "yield"):
        more, args = ending(key)
        instrs += more
        end = replace(end, args=(*end.args, *args))
    new = Block(block.params, tuple(instrs), end)
    fresh[key] = new
    return new


def _has_exit(block: Block) -> bool:
    return block.end.kind == "break" or any(
        _has_exit(b) for i in block.instrs if i.op.name == "if" for b in i.blocks
    )
