"""Scopes of the reverse sweep: how primal values are had there."""

from __future__ import annotations

from collections.abc import Callable

from s2sad.analysis.program import Program
from s2sad.errors import InternalError
from s2sad.ir.builder import Builder
from s2sad.ir.core import Block, Instr, Literal, Operand, Value
from s2sad.ir.types import Array, Scalar, python_number
from s2sad.ir.walk import Copier, used_values
from s2sad.ops.table import OPS
from s2sad.record import replace
from s2sad.transforms.define import ZEROS
from s2sad.transforms.forward import trip_index
from s2sad.transforms.plan import Plan
from s2sad.transforms.rules import widen


class Scope:
    """An open block of the reverse sweep. It stands for `blocks` of the primal: those whose values are
    the ones of the trip and branch that is being reversed."""

    def __init__(
        self,
        world: World,
        builder: Builder,
        blocks: frozenset[Block],
        parent: Scope | None,
        loop: Instr | None = None,
    ):
        self.world, self.b, self.blocks, self.parent = world, builder, blocks, parent
        self.loop = loop  # set where the scope is a trip of this loop
        self.have: dict[Value, Operand] = {}
        self.cursor: Operand | None = None  # entry of the trip in growing tapes
        self.index: Operand | None = None  # entry of the trip in indexed tapes
        self.number: Operand | None = None  # number of the trip, from 0

    def inner(self, *blocks: Block, loop: Instr | None = None) -> Scope:
        """Return a scope for a block owned by an instruction of this one."""
        return Scope(self.world, self.b.inner(), frozenset(blocks), self, loop)

    def fetch(self, a: Operand) -> Operand:
        """Return what has the value of the primal operand `a` here."""
        if not isinstance(a, Value):
            return a
        scope: Scope | None = self
        while scope is not None:
            if a in scope.have:
                return scope.have[a]
            scope = scope.parent
        world = self.world
        block = world.plan.deferred.get(a, world.program.block_of.get(a))
        if block is None or block is world.program.fn.block:
            return a
        if a in world.plan.kept:
            return world.env[world.plan.kept[a]]
        scope = self
        while scope is not None and block not in scope.blocks:
            scope = scope.parent
        if scope is None:
            raise InternalError("S902", f"the reverse sweep cannot get at {a!r}")
        return scope.provide(a)

    def provide(self, v: Value) -> Operand:
        """Append what gets at a value of one of this scope's own blocks."""
        saved = self.b.role, self.b.origin
        instr = self.world.program.producer.get(v)
        self.b.origin = instr.origin if instr is not None else saved[1]
        if v in self.world.plan.tapes:
            self.b.role = "tape"
            self.have[v] = self.read(v)
        elif v in self.world.plan.on_tape:
            self.have[v] = self.reread(v)
        elif v in self.world.plan.steps:
            self.have[v] = self.stepped(v)
        elif self.world.plan.may_hoist(v):
            self.have[v] = self.hoisted(v)
        elif instr is None:
            raise InternalError("S902", f"{v!r} is not on a tape")
        else:
            self.recompute(instr)
        self.b.role, self.b.origin = saved
        return self.have[v]

    def recompute(self, instr: Instr) -> None:
        """Append the instruction once more, with fresh results; a size as whatever tells it."""
        n = getattr(instr.result.type, "size", None) if instr.op.name == "size" else None
        if n is not None and self.world.plan.top.knows(n):
            self.have[instr.result] = self.world.plan.top.operand(self.b, n)
            return
        if instr.blocks:
            copier = Copier(self.world.plan.sizes, {v: self.fetch(v) for v in used_values(instr)})
            self.b.role = "recompute"
            copy = _marked(copier.instr(instr))
            results = tuple(Value(r.name, r.type) for r in instr.results)
            self.b.add(replace(copy, results=results))
        else:
            shapes = instr.op.shape_args
            args = tuple(self.shape(a) if k in shapes else self.fetch(a) for k, a in enumerate(instr.args))
            self.b.role = "recompute"
            results = tuple(Value(r.name, r.type) for r in instr.results)
            self.b.add(replace(instr, args=args, results=results, role="recompute"))
        self.have.update(zip(instr.results, results, strict=True))

    def hoisted(self, v: Value) -> Operand:
        """Append the computation of a number that all trips have in common before the loop, and return it."""
        plan = self.world.plan
        scope = self.outside(plan.fixed[v])
        if v not in scope.have:
            instr = self.world.program.producer[v]
            args = tuple(scope.hoisted(a) if plan.may_hoist(a) else scope.fetch(a) for a in instr.args)
            saved = scope.b.role, scope.b.origin
            scope.b.role, scope.b.origin = "recompute", instr.origin
            result = Value(v.name, v.type)
            scope.b.add(replace(instr, args=args, results=(result,), role="recompute"))
            scope.have[v] = result
            scope.b.role, scope.b.origin = saved
        return scope.have[v]

    def outside(self, loop: Instr | None) -> Scope:
        """Return the outermost scope around this one that is no trip of a loop inside of `loop`."""
        found, scope = self, self
        while scope.loop is not loop or loop is None:
            if scope.loop is not None:
                assert scope.parent is not None
                found = scope.parent
            if scope.parent is None:
                break
            scope = scope.parent
        return found

    def read(self, v: Value) -> Operand:
        """Append the read of a taped value."""
        tape = self.world.plan.tapes[v]
        array = self.world.env[tape.cell]
        loop = tape.loops[-1]
        if tape.kind == "indexed":
            where = tuple(self.entry(outer) for outer in tape.loops)
        else:
            cursor = self.trip(loop).cursor
            assert cursor is not None
            where = (cursor,)
        out = self.b.emit(OPS["getitem"], array, *where, name=self.read_name(v), path=tape.path)
        if isinstance(v.type, Array):
            return self.b.retype(out, v.type)
        return self.weakened(out, v)

    def stepped(self, v: Value) -> Operand:
        """Append the computation of a carried int from the number of the trip."""
        step = self.world.plan.steps[v]
        init, number = self.fetch(step.init), self.number
        assert number is not None
        self.b.role = "recompute"
        if step.amount != 1:
            number = self.b.emit(OPS["multiply"], number, Literal(step.amount))
        if init == Literal(0):
            return number
        return self.b.emit(OPS["add"], init, number, name=v.name)

    def open_flat(self, block: Block, ran: int | None = None) -> None:
        """Append the reads of what a block, or the first `ran` of its instructions, wrote to flat tapes,
        last first."""
        plan = self.world.plan
        for v in reversed(list(plan.defined(block, ran))):
            tape = plan.tapes.get(v)
            if tape is None or tape.cursor is None or v in self.have:
                continue
            self.b.role = "tape"
            hi = self.world.cursor(tape.cursor)
            assert isinstance(v.type, Array)
            dims = self.dims(v)
            count = dims[0]
            for n in dims[1:]:
                count = self.b.emit(OPS["multiply"], count, n)
            lo = self.b.emit(OPS["subtract"], hi, count, name=tape.cursor.name)
            row = self.b.emit(
                OPS["getitem"],
                self.world.env[tape.cell],
                lo,
                hi,
                path=tape.path,
                name=v.name if len(dims) == 1 else "",
            )
            if len(dims) != 1:
                row = self.b.emit(OPS["reshape"], row, *dims, name=v.name)
            self.have[v] = self.b.retype(row, v.type)
            self.world.set_cursor(tape.cursor, lo)
        self.b.role = "reverse"

    def reread(self, v: Value) -> Operand:
        """Append the read of a value from a tape of the program's own."""
        again = self.world.plan.reread[v]
        array, *where = map(self.fetch, (again.tape, *again.operands))
        self.b.role = "recompute"
        out = self.b.emit(OPS["getitem"], array, *where, name=self.read_name(v), path=again.path)
        if isinstance(v.type, Array):
            return self.b.retype(out, v.type)
        return self.weakened(out, v)

    def read_name(self, v: Value) -> str:
        """Return the name of what is read for `v`: none if it is converted before it is `v`."""
        converted = isinstance(v.type, Scalar) and v.type.weak and self.world.plan.narrow
        return "" if converted else v.name

    def weakened(self, a: Operand, v: Value) -> Operand:
        """Return a number read from a tape as the Python number it was."""
        assert isinstance(v.type, Scalar)
        if not v.type.weak:
            return a
        if self.world.plan.narrow:  # beside float32 it matters which of the two it is
            return self.b.emit(OPS[python_number(v.type)], a, name=v.name)
        return widen(self.b, a, v.type, v.name)

    def trip(self, loop: Instr) -> Scope:
        """Return the scope around this one that is a trip of `loop`."""
        scope: Scope | None = self
        while scope is not None:
            if scope.loop is loop:
                return scope
            scope = scope.parent
        raise InternalError("S902", "a loop is not being reversed")

    def entry(self, loop: Instr) -> Operand:
        """Return the entry in indexed tapes of the trip of `loop` that is being reversed."""
        scope = self.trip(loop)
        if scope.index is None:
            i = loop.blocks[0].params[0]
            lo, hi, step = map(scope.fetch, loop.args[:3])
            copy = replace(loop, args=(lo, hi, step, *loop.args[3:]))
            role, scope.b.role = scope.b.role, "tape"
            scope.index = trip_index(scope.b, copy, scope.fetch(i))
            scope.b.role = role
        return scope.index

    def shape(self, a: Operand) -> Operand:
        """Return a value of the shape of the primal operand `a`."""
        if not isinstance(a, Value):
            return a
        if not isinstance(a.type, Array):
            return Literal(ZEROS[a.type.dtype.kind])
        scope: Scope | None = self
        while scope is not None:
            if a in scope.have:
                return scope.have[a]
            scope = scope.parent
        program: Program = self.world.program
        block = program.block_of.get(a)
        plan = self.world.plan
        at_hand = block is None or block is program.fn.block or a in plan.tapes
        if at_hand and not (a in plan.unbound and plan.shape_is_known(a)):
            return self.shaped(a)
        if not plan.shape_is_known(a):
            return self.shaped(a) if a in plan.provided else self.blank(a)
        known = self.world.plan.top
        like = known.shapes.get(a.type.shape)
        if like is not None:
            return like
        key = a.type.shape
        if key not in self.world.blanks:
            self.world.blanks[key] = self.world.blank(a.type)
        return self.world.blanks[key]

    def shaped(self, v: Value) -> Operand:
        """Return the value itself; where it may be unbound, it will have to be bound for its shape."""
        found = self.fetch(v)
        if v in self.world.plan.unbound:
            self.world.to_bind.append(found)
        return found

    def blank(self, v: Value) -> Operand:
        """Append an array of the measured shape of `v`."""
        assert isinstance(v.type, Array)
        dims = self.dims(v)
        return self.b.retype(self.b.emit(OPS["empty"], *dims, dtype=v.type.dtype), v.type)

    def dims(self, v: Value) -> list[Operand]:
        """Append the dimensions of a measured value."""
        plan = self.world.plan
        measured = iter(plan.lengths[v])
        known = plan.top.knows
        return [plan.top.operand(self.b, n) if known(n) else self.fetch(next(measured)) for n in v.type.shape]


class World:
    """What all scopes of one reverse sweep share."""

    def __init__(self, plan: Plan, env: dict[Value, Operand], top: Builder):
        self.plan, self.program, self.env, self.top = plan, plan.program, env, top
        self.blanks: dict[object, Operand] = {}
        self.to_bind: list[Operand] = []  # read even on paths where they may be unbound
        self.cursor: Callable[[Value], Operand] = env.__getitem__
        self.set_cursor: Callable[[Value, Operand], None] = env.__setitem__

    def blank(self, t: Array) -> Operand:
        """Append, before everything that is being built, an array of this shape."""
        dims = [self.plan.top.operand(self.top, n) for n in t.shape]
        return self.top.retype(self.top.emit(OPS["empty"], *dims, dtype=t.dtype), t)


def _marked(instr: Instr) -> Instr:
    blocks = tuple(replace(b, instrs=tuple(map(_marked, b.instrs))) for b in instr.blocks)
    return replace(instr, role="recompute", blocks=blocks)
