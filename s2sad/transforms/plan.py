"""The plan of a reverse sweep: which primal values it reads, and for each whether it is still there,
computed again, or taped. One minimum cut per frame, inner loops first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

from s2sad.analysis.activity import Activity
from s2sad.analysis.cost import LOAD, recompute_cost, store_cost
from s2sad.analysis.mincut import Candidate, choose
from s2sad.analysis.program import Program
from s2sad.analysis.pullback import Pullbacks
from s2sad.analysis.unbound import maybe_unbound
from s2sad.errors import InternalError
from s2sad.ir.core import Block, Function, Instr, Operand, Value
from s2sad.ir.loops import LOOPS, carried
from s2sad.ir.types import C16, F8, INT, WEAK_INT, Array, Scalar
from s2sad.ir.walk import free_values, used_values
from s2sad.ops.control import LINKED
from s2sad.ops.table import OPS
from s2sad.passes.base import sizes_after
from s2sad.passes.sizes import Resolver
from s2sad.record import replace
from s2sad.transforms.custom import linked_operands
from s2sad.transforms.exits import Counting
from s2sad.transforms.finals import final_elements
from s2sad.transforms.fixed import NEVER_RAISE, fixed_in_loops
from s2sad.transforms.flow import Flow
from s2sad.transforms.induction import Step, steps
from s2sad.transforms.reread import grown_arrays, is_tape_write, needs_itself, rereads, tape_versions
from s2sad.transforms.tape import Tape, make_tape

KEEP = 0.5  # handing a value of a branch on to the reverse sweep, outside loops


Lengths = dict[Value, tuple[Value, ...]]  # measured dimensions of values on flat tapes


class Plan:
    """What the forward sweep has to keep for the reverse sweep."""

    def __init__(
        self,
        program: Program,
        activity: Activity,
        pullbacks: Pullbacks,
        flow: Flow,
        counting: dict[Instr, Counting],
        lengths: Lengths,
    ):
        self.program, self.activity, self.pullbacks = program, activity, pullbacks
        self.flow, self.counting, self.lengths = flow, counting, lengths
        self.sizes = sizes_after(program.fn)
        self.top = Resolver(program.fn.params)
        self.names = _Names(program)
        self.unbound = maybe_unbound(program.fn.block)
        self.narrow = any(
            v.type.dtype.kind in "fc" and v.type.dtype not in (F8, C16) for v in program.block_of
        )
        self.kept: dict[Value, Value] = {}  # values of branches outside loops -> cell
        self.tapes: dict[Value, Tape] = {}
        self.cursors: dict[Instr, Value] = {}  # loops with growing tapes -> cell
        self.unshaped: list[Value] = []  # only their shapes are needed, and those are not known
        self.provided: set[Value] = set()  # what the reverse sweep can fetch
        self.outward: dict[Instr, dict[Value, None]] = {}
        self.steps = steps(program, counting)
        self.fixed = fixed_in_loops(program)
        self.measures = {(n,) for found in lengths.values() for n in found}  # not to be had from the value
        again = final_elements(program) | rereads(program, counting)
        self.reread = {v: r for v, r in again.items() if not needs_itself(program, v, r)}
        self.own_tapes = tape_versions(program)  # their cotangents keep the final shape
        self.on_tape: set[Value] = set()  # those of them that are read there
        self.restored: dict[Value, Value] = {}  # carried ints that the reverse sweep carries back -> cell
        self.deferred: dict[Value, Block] = {}  # taped, but unbound on some path -> the branch that reads it
        for loop in reversed(program.loops):
            if flow.works(loop):
                self._frame(loop)
        self._frame(None)
        self._place_tapes()

    # what is needed

    def _frame(self, loop: Instr | None) -> None:
        top = self.program.fn.block
        body = top if loop is None else loop.blocks[-1]
        blocks = self.program.frame_blocks(body)
        self._shapes: dict[Value, None] = {}
        required = dict.fromkeys(v for b in blocks for v in self._needs(b))
        if loop is not None:
            required |= dict.fromkeys(self._slot_needs(loop))
        measured = [v for b in blocks for v in self.defined(b) if v in self.lengths]
        required |= {n: None for v in measured for n in self.lengths[v]}
        self.unshaped += (v for v in self._shapes if v not in required and v not in self.lengths)
        candidates = {c.key: c for b in blocks if b is not top for c in self._candidates(b, loop)}
        chosen = choose(candidates.values(), required)
        if chosen is None:
            where = loop.origin if loop is not None else None
            raise InternalError("S902", "no way to provide the values the reverse sweep needs", origin=where)
        reached: dict[Value, None] = {}
        todo = list(required)
        while todo:
            v = todo.pop()
            if v in reached:
                continue
            reached[v] = None
            if v in candidates and v not in chosen:
                todo += (x for x in candidates[v].operands if isinstance(x, Value))
                if v in self.steps and self.steps[v].inner is not None:
                    self.restored[v] = Value(v.name, WEAK_INT)
        for v in sorted((v for v in reached if v in chosen), key=list(candidates).index):
            if loop is None:
                self.kept[v] = Value(v.name, v.type)
            else:
                self.tapes[v] = None  # type: ignore[assignment]
        self.provided.update(reached)
        if loop is not None:
            inside = set(blocks)
            self.outward[loop] = {v: None for v in reached if self.program.block_of[v] not in inside}

    def _needs(self, block: Block) -> Iterator[Value]:
        """Yield the values that reversing a block reads."""
        owner = self.program.owner.get(block)
        if owner is not None and grown_arrays(self.program, owner) is not None:
            return
        for instr in block.instrs:
            if not self.flow.works(instr):
                continue
            match instr.op.name:
                case "if" if grown_arrays(self.program, instr) is not None:
                    continue
                case "if":
                    if not any(b.leaves for b in instr.blocks):
                        yield from _values(instr.args)
                        for v in self.flow.instr_targets(instr):  # a branch may leave them zero
                            yield from self._shape(v)
                case "for" | "while":
                    yield from self._loop_needs(instr)
                case "call":
                    yield from _values(instr.args)
                case "linked":
                    yield from linked_operands(instr)
                    for v in (*instr.results, *self.flow.sources(instr)):  # a seed may be zero
                        yield from self._shape(v)
                case _:
                    yield from self._instr_needs(instr)

    def _slot_needs(self, loop: Instr) -> Iterator[Value]:
        """Yield what zeros for the cotangents of carried values are made from."""
        for k in self.activity.slots(loop):
            p = carried(loop)[k]
            if not self.flow.reads(loop, p):
                yield from self._shape(p)

    def _loop_needs(self, loop: Instr) -> Iterator[Value]:
        if loop.op.name == "for":
            yield from _values(loop.args[:3])
        counting = self.counting.get(loop)
        if counting is not None:
            yield counting.trips
            if counting.code is not None:
                yield counting.code
        yield from self.outward[loop]
        for k in self.activity.slots(loop):
            yield from self._shape(loop.results[k])
        for v in self.flow.body_targets(loop):
            yield from self._shape(v)

    def _instr_needs(self, instr: Instr) -> Iterator[Value]:
        for y in instr.results:
            yield from self._shape(y)
        for a, c in zip(instr.args, self.pullbacks.of(instr), strict=True):
            if c is None or not isinstance(a, Value) or a not in self.activity:
                continue
            yield from self._shape(a)
            for v, shape_only in self.pullbacks.leaves(c):
                if shape_only and v in self.own_tapes and not is_tape_write(instr):
                    yield from self._unknown_shape(v)
                elif shape_only:
                    yield from self._shape(v)
                else:
                    yield v

    def _shape(self, v: Value) -> Iterator[Value]:
        if v not in self.own_tapes:
            yield from self._unknown_shape(v)

    def _unknown_shape(self, v: Value) -> Iterator[Value]:
        if self.shape_is_known(v):
            return
        self._shapes[v] = None
        yield from self.lengths.get(v, ())

    def shape_is_known(self, v: Value) -> bool:
        """True if the shape of `v` can be had without `v`."""
        return not isinstance(v.type, Array) or self.top.knows_shape(v.type)

    # what can be done about it

    def _candidates(self, block: Block, loop: Instr | None) -> Iterator[Candidate]:
        index = block.params[0] if block.params and loop is not None and loop.op.name == "for" else None
        for p in block.params:
            if p in self.reread:
                yield self._from_tape(p, loop)
            elif p in self.steps:
                yield Candidate(p, self._store(p, loop), LOAD, p, tuple(self._step_needs(self.steps[p])))
            elif p is not index and not self._is_counter(p, loop):
                yield Candidate(p, self._store(p, loop), None, p, ())
        for instr in block.instrs:
            cost = 0.0 if instr.op is LINKED else recompute_cost(instr)
            if instr.op.name in LOOPS or instr.op.name == "call" or instr.results[:1] in self.measures:
                cost = None
            elif instr.results and instr.results[0] in self.fixed and cost is not None:
                cost = min(cost, LOAD)
            operands = tuple(dict.fromkeys(self._reads(instr)))
            for r in instr.results:
                if r in self.reread and (cost is None or cost >= LOAD):
                    yield self._from_tape(r, loop)
                else:
                    yield Candidate(r, self._store(r, loop), cost, instr, operands)

    def _from_tape(self, v: Value, loop: Instr | None) -> Candidate:
        again = self.reread[v]
        cost = 0.0 if isinstance(v.type, Array) else LOAD
        self.on_tape.add(v)
        return Candidate(v, self._store(v, loop), cost, v, tuple(_values((again.tape, *again.operands))))

    def _step_needs(self, step: Step) -> Iterator[Value]:
        """Yield what a carried int is had from in the reverse sweep."""
        if step.inner is None:
            yield from _values((step.init,))
            return
        yield step.loop.results[step.slot]
        counting = self.counting.get(step.inner)
        if counting is not None:
            yield counting.trips
        else:
            yield from _values(step.inner.args[:3])

    def _store(self, v: Value, loop: Instr | None) -> float | None:
        return KEEP if loop is None else store_cost(v.type)

    def _is_counter(self, p: Value, loop: Instr | None) -> bool:
        counting = self.counting.get(loop) if loop is not None else None
        return counting is not None and counting.counter is p

    def _reads(self, instr: Instr) -> Iterator[Value]:
        if instr.blocks:
            yield from used_values(instr)
            return
        for k, a in enumerate(instr.args):
            if isinstance(a, Value) and not (k in instr.op.shape_args and self.shape_is_known(a)):
                yield a

    def may_hoist(self, a: Operand) -> TypeGuard[Value]:
        """True for what the reverse sweep computes again before a loop, whose trips all have the same."""
        if not isinstance(a, Value) or a not in self.fixed or a in self.tapes:
            return False
        instr = self.program.producer[a]
        return instr.op.name in NEVER_RAISE and all(
            b not in self.fixed or self.may_hoist(b) for b in instr.args
        )

    # tapes

    def _place_tapes(self) -> None:
        for v in self.tapes:
            loop = self.program.frame(v)
            assert loop is not None
            loops = self.program.enclosing(loop)
            tape = make_tape(v, self.names.of(v) + "_tape", loops, self.scope_before(loops[0]))
            self.tapes[v] = tape
            if tape.kind != "flat" and v in self.unbound and self.shape_is_known(v):
                branch = self._only_reader(v)
                if branch is not None:
                    self.deferred[v] = branch
            if tape.kind == "growing" and self.counts_own_trips(loop) is None:
                self.cursors.setdefault(loop, Value("cursor", WEAK_INT))

    def _only_reader(self, v: Value) -> Block | None:
        """Return the branch of an `if` of the block of `v` that alone reads it: there it is bound."""
        block = self.program.block_of[v]
        readers = [i for i in block.instrs if v in used_values(i)]
        if len(readers) != 1 or readers[0].op.name != "if" or v in (*readers[0].args, *block.end.args):
            return None
        inside = [b for b in readers[0].blocks if v in free_values(b)]
        return inside[0] if len(inside) == 1 else None

    def unmeasured(self) -> list[Value]:
        """Return the values whose dimensions the reverse sweep reads, and that are not measured yet."""
        flat = [v for v, t in self.tapes.items() if t.kind == "flat" and v not in self.lengths]
        return [*flat, *(v for v in self.unshaped if v not in flat)]

    def counts_own_trips(self, loop: Instr) -> Value | None:
        """Return the counter that serves as cursor: that of an outermost loop."""
        counting = self.counting.get(loop)
        if counting is None or len(self.program.enclosing(loop)) > 1:
            return None
        return counting.counter

    def scope_before(self, loop: Instr) -> Resolver:
        """Return what sizes can be computed before an outermost loop."""
        values = list(self.program.fn.params)
        chain = []
        block: Block | None = self.program.home[loop]
        stop: Instr = loop
        while block is not None:
            chain.append((block, stop))
            stop = self.program.owner.get(block, stop)
            block = self.program.parent.get(block)
        for outer, until in reversed(chain):
            for instr in outer.instrs:
                if instr is until:
                    break
                values += (r for r in instr.results if r not in self.unbound)
        return Resolver(values)

    def past_exits(self, block: Block, k: int) -> int:
        """Return the position in a loop body up to which nothing needs to be taped: that of the last exit
        behind instruction k after which nothing of the trip is reversed."""
        loop = self.program.owner.get(block)
        counting = self.counting.get(loop) if loop is not None else None
        if counting is None or block is not counting.body:
            return k
        place = k
        for position in sorted({e.path[0][1] for e in counting.exits}):
            kinds = {e.kind for e in counting.exits if e.path[0][1] == position}
            if position > k:
                if kinds != {"none"}:
                    break
                place = position
        return place

    def fills(self, tape: Tape) -> bool:
        """True if a growing tape gets an entry each time its cursor steps."""
        loop = tape.loops[-1]
        counting = self.counting.get(loop)
        exits = counting.exits if counting is not None else ()
        each = self.program.block_of[tape.value] is loop.blocks[-1] and tape.value not in self.deferred
        return each and all(e.kind == "none" for e in exits)

    def may_rewrite(self, tape: Tape) -> bool:
        """True if a trip that is not counted can have written entries of a tape with a cursor."""
        found = [self.counting[loop] for loop in tape.loops if loop in self.counting]
        return any(e.kind == "none" for counting in found for e in counting.exits)

    def cursors_in(self, loop: Instr) -> list[Value]:
        """Return the cursors of a loop and the loops in it."""
        found = [c for inner, c in self.cursors.items() if loop in self.program.enclosing(inner)]
        return found + [t.cursor for t in self.tapes.values() if t.cursor is not None and loop in t.loops]

    def moves_cursors(self, instr: Instr) -> bool:
        """True if an `if` or loop in a loop moves cursors: they have to be moved back, whether a cotangent
        comes to it or not."""
        ways_out = instr.op.name == "if" and any(b.leaves for b in instr.blocks)
        if not instr.blocks or ways_out or self.program.loop_of[self.program.home[instr]] is None:
            return False
        return any(c in self.all_cursors for b in instr.blocks for c in self.written(b))

    @property
    def all_cursors(self) -> set[Value]:
        """Return all cursors."""
        return {*self.cursors.values(), *(t.cursor for t in self.tapes.values() if t.cursor is not None)}

    def written(self, block: Block) -> dict[Value, None]:
        """Return the cells that change when a block runs, inner blocks included."""
        found: dict[Value, None] = {}
        for instr in block.instrs:
            for tape in self.made_before(instr):
                found[tape.cell] = None
            for inner in instr.blocks:
                found.update(self.written(inner))
        for v in self.defined(block):
            if v in self.kept:
                found[self.kept[v]] = None
            if v in self.tapes and v not in self.deferred:
                found[self.tapes[v].cell] = None
                if (cursor := self.tapes[v].cursor) is not None:
                    found[cursor] = None
        found.update((self.tapes[v].cell, None) for v in self.deferred_to(block))
        owner = self.program.owner.get(block)
        if owner in self.cursors and block is owner.blocks[-1]:
            found[self.cursors[owner]] = None
        return found

    def deferred_to(self, block: Block) -> list[Value]:
        """Return the values of the block around this branch that are taped at its head."""
        return [v for v, branch in self.deferred.items() if branch is block]

    def made_before(self, instr: Instr) -> list[Tape]:
        """Return the tapes that are allocated before an outermost loop."""
        return [t for t in self.tapes.values() if t.at is instr] if instr.op.name in LOOPS else []

    def defined(self, block: Block, count: int | None = None) -> Iterator[Value]:
        """Yield the values defined in a block, or by the first `count` of its instructions."""
        yield from block.params
        for instr in block.instrs[:count]:
            yield from instr.results


def measured(fn: Function, known: Lengths, values: list[Value], top: Resolver) -> tuple[Function, Lengths]:
    """Return the function with the run-time dimensions of some values as values of their own."""
    lengths = dict(known)

    def sizes(v: Value) -> list[Instr]:
        instrs = []
        for axis, n in enumerate(v.type.shape):
            if not top.knows(n):
                out = Value("", Scalar(INT, weak=True, size=n))
                instrs.append(Instr(OPS["size"], (v,), (out,), (("axis", axis),), role="tape"))
        lengths[v] = tuple(i.result for i in instrs)
        return instrs

    def visit(block: Block) -> Block:
        instrs = [i for p in block.params if p in values for i in sizes(p)]
        for instr in block.instrs:
            if instr.blocks:
                instr = replace(instr, blocks=tuple(map(visit, instr.blocks)))
            instrs.append(instr)
            for r in instr.results:
                if r in values:
                    instrs += sizes(r)
        return Block(block.params, tuple(instrs), block.end)

    return replace(fn, block=visit(fn.block)), lengths


def _values(args: tuple[Operand, ...]) -> Iterator[Value]:
    for a in args:
        if isinstance(a, Value):
            yield a


class _Names:
    """Names for values that have none of their own."""

    def __init__(self, program: Program):
        self.near: dict[Value, str] = {}
        self._block(program.fn.block)

    def of(self, v: Value) -> str:
        """Return the value's name, or that of the nearest named value it flows into."""
        return v.name or self.near.get(v, "t")

    def _block(self, block: Block) -> None:
        for instr in reversed(block.instrs):
            if instr.op.name in LOOPS:
                self._flow(instr.blocks[-1].end.args, carried(instr))
            elif instr.op.name == "if":
                for b in instr.blocks:
                    if b.end.kind == "yield":
                        self._flow(b.end.args, instr.results)
            for b in instr.blocks:
                self._block(b)
            name = next((self.of(r) for r in instr.results if r.name or r in self.near), "")
            for a in instr.args:
                if name and isinstance(a, Value) and not a.name:
                    self.near[a] = name

    def _flow(self, args: tuple[Operand, ...], targets: tuple[Value, ...]) -> None:
        for a, t in zip(args, targets, strict=True):
            if isinstance(a, Value) and not a.name and t.name:
                self.near[a] = t.name
