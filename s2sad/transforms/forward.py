"""The forward sweep: the primal with what the plan wants kept written to tapes.

Cells (tapes, cursors, kept values of branches) are threaded through loops and ifs as further slots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from s2sad.ir.builder import Builder, Sizes
from s2sad.ir.core import Block, End, Instr, Literal, Operand, Value
from s2sad.ir.op import Alias
from s2sad.ir.size import Size
from s2sad.ir.types import Array, Scalar, Type
from s2sad.ops.control import IF, UNDEF
from s2sad.ops.table import OPS
from s2sad.record import replace
from s2sad.transforms.plan import Plan
from s2sad.transforms.tape import FIRST_LENGTH, Tape


def version(cell: Value, sizes: Sizes) -> Value:
    """Return a new version of a cell; the length of a growing tape is only known at run time."""
    t = cell.type
    if isinstance(t, Array):
        shape = tuple(sizes.fresh() if n == Size.symbol("?") else n for n in t.shape)
        t = Array(t.dtype, shape)
    return Value(cell.name, t)


class Forward:
    """Builds the forward sweep; afterwards `env` has the final versions of all cells."""

    def __init__(self, plan: Plan, builder: Builder, given: Mapping[Value, Value]):
        self.plan, self.program = plan, plan.program
        self.given = given  # tapes that are not made here
        self.env: dict[Value, Operand] = dict(given)
        self.index: dict[Instr, Operand] = {}  # loop -> entry of its trip in indexed tapes
        self.heads: dict[Instr, dict[Value, Value]] = {}  # loop -> its cells at the head of a trip
        self.fill(builder, self.program.fn.block)

    def fill(self, b: Builder, block: Block) -> None:
        """Append the block's instructions with those that write tapes."""
        late: dict[int, list[Value]] = {}
        for v in self.plan.deferred_to(block):
            b.role = "tape"
            self.write(b, self.plan.tapes[v], v)
        for p in block.params:
            self.keep_in(b, block, -1, p, late)
        for k, instr in enumerate(block.instrs):
            b.origin, b.role = instr.origin, instr.role
            match instr.op.name:
                case "comment":
                    continue
                case "if":
                    self.branches(b, instr)
                case "for" | "while":
                    self.loop(b, instr)
                case _:
                    b.add(instr)
            for r in (*instr.results, *late.get(k, ())):
                self.keep_in(b, block, k, r, late)

    def keep_in(self, b: Builder, block: Block, k: int, v: Value, late: dict[int, list[Value]]) -> None:
        """Keep `v`, which instruction k has defined, here or later in the block."""
        later = self.plan.past_exits(block, k) if v in self.plan.tapes else k
        if later > k and self.can_wait(block, k, later, v):
            late.setdefault(later, []).append(v)
        else:
            self.keep(b, v)

    def can_wait(self, block: Block, k: int, later: int, v: Value) -> bool:
        """True if `v` is the same in memory after instruction `later`."""
        if not isinstance(v.type, Array):
            return True
        return not any(_writes(i) for i in block.instrs[k + 1 : later + 1])

    def keep(self, b: Builder, v: Value) -> None:
        """Append what keeps `v` for the reverse sweep, if it is to be kept."""
        if v in self.plan.kept:
            self.env[self.plan.kept[v]] = v
        if v in self.plan.tapes and v not in self.plan.deferred:
            b.role = "tape"
            self.write(b, self.plan.tapes[v], v)

    def block(self, block: Block, cells: Sequence[Value], leave: Sequence[Value]) -> Block:
        """Return the block; it hands over `cells` where it yields and `leave` where it breaks."""
        b = Builder(self.plan.sizes, block.end.origin)
        self.fill(b, block)
        return self.closed(b, block, cells, leave)

    def unsized(self, t: Type) -> Type:
        """Return the type with sizes that say nothing."""
        if isinstance(t, Array):
            return Array(t.dtype, tuple(self.plan.sizes.fresh() for _ in t.shape))
        return Scalar(t.dtype, t.weak)

    def version(self, cell: Value) -> Value:
        """Return a new version of a cell."""
        return version(cell, self.plan.sizes)

    def closed(self, b: Builder, block: Block, cells: Sequence[Value], leave: Sequence[Value]) -> Block:
        """Close a block that was filled."""
        end = block.end
        more = cells if end.kind == "yield" else leave if end.kind == "break" else ()
        if end.kind == "break":
            self.leave(b, block)
        args = (*end.args, *(self.env[c] for c in more))
        return Block(block.params, tuple(b.instrs), replace(end, args=args))

    def leave(self, b: Builder, block: Block) -> None:
        """Append the step of a cursor at a `break` after which there is something to reverse; else hand over
        all cursors as they were before the trip, for what its inner loops have taped is not read."""
        loop = self.program.loop_of[block]
        assert loop is not None
        counting = self.plan.counting.get(loop)
        kinds = [e.kind for e in counting.exits if e.path[-1][0] is block] if counting else []
        if kinds == ["none"]:
            self.env.update({c: v for c, v in self.heads[loop].items() if c in self.plan.all_cursors})
        elif loop in self.plan.cursors:
            self.step(b, loop)

    def step(self, b: Builder, loop: Instr) -> None:
        """Append the step of a loop's cursor."""
        cursor = self.plan.cursors[loop]
        b.role = "tape"
        self.env[cursor] = b.emit(OPS["add"], self.env[cursor], Literal(1), name="cursor")

    def branches(self, b: Builder, instr: Instr) -> None:
        """Append an `if`; the cells written in its branches become results."""
        going = [x for x in instr.blocks if not x.leaves]
        cells = list(dict.fromkeys(c for x in going for c in self.plan.written(x)))
        leave = self.leaving_cells(instr.blocks[0])
        self.begin(b, cells)
        before = dict(self.env)
        blocks = []
        for x in instr.blocks:
            self.env = dict(before)
            blocks.append(self.block(x, cells, leave))
        self.env = before
        after = [self.version(c) for c in cells]
        self.env.update(zip(cells, after, strict=True))
        b.role = instr.role
        b.add(replace(instr, blocks=tuple(blocks), results=(*instr.results, *after)))

    def leaving_cells(self, block: Block) -> list[Value]:
        """Return the cells that a `break` in the block has to carry."""
        loop = self.program.loop_of[block]
        return [] if loop is None else list(self.plan.written(loop.blocks[-1]))

    def begin(self, b: Builder, cells: Sequence[Value]) -> None:
        """Give cells that have no value yet an undefined one."""
        for c in cells:
            if c not in self.env:
                b.role = "tape"
                self.env[c] = b.emit(UNDEF, type=self.unsized(c.type))

    def loop(self, b: Builder, instr: Instr) -> None:
        """Append a loop; the cells written in it become slots."""
        for tape in self.plan.made_before(instr):
            b.role = "tape"
            if tape.cell not in self.given:
                self.env[tape.cell] = self.allocate(b, tape)
        if self.program.loop_of[self.program.home[instr]] is None:
            for c in self.plan.cursors_in(instr):
                self.env[c] = Literal(0)
        body = instr.blocks[-1]
        cells = list(self.plan.written(body))
        self.begin(b, cells)
        inits = [self.env[c] for c in cells]
        outside = dict(self.env)
        params = [self.version(c) for c in cells]
        self.heads[instr] = dict(zip(cells, params, strict=True))
        self.env.update(self.heads[instr])
        inner = Builder(self.plan.sizes, instr.origin)
        inner.role = "tape"
        if any(t.kind == "indexed" for c in cells for t in self.plan.tapes.values() if t.cell is c):
            self.index[instr] = trip_index(inner, instr, body.params[0])
        self.fill(inner, body)
        if instr in self.plan.cursors and body.end.kind == "yield":
            self.step(inner, instr)
        new = self.closed(inner, body, cells, cells)
        blocks: tuple[Block, ...] = (replace(new, params=(*body.params, *params)),)
        if instr.op.name == "while":
            cond = instr.blocks[0]
            unused = tuple(Value(p.name, p.type) for p in params)
            blocks = (replace(cond, params=(*cond.params, *unused)), *blocks)
        results = [self.version(c) for c in cells]
        self.env = outside
        self.env.update(zip(cells, results, strict=True))
        b.role = instr.role
        b.add(replace(instr, args=(*instr.args, *inits), blocks=blocks, results=(*instr.results, *results)))

    # tapes

    def allocate(self, b: Builder, tape: Tape) -> Operand:
        """Append the allocation of a tape."""
        scope = self.plan.scope_before(tape.at)
        first = () if tape.kind == "indexed" else (Literal(FIRST_LENGTH),)
        dims = (*first, *(scope.operand(b, n) for n in tape.sizes))
        made = b.emit(OPS["empty"], *dims, name=tape.cell.name, dtype=tape.value.type.dtype)
        return b.retype(made, tape.cell.type) if tape.kind == "indexed" else made

    def write(self, b: Builder, tape: Tape, v: Value) -> None:
        """Append the write of `v` to its tape."""
        array = self.env[tape.cell]
        loop = tape.loops[-1]
        if tape.cursor is not None:
            self.append(b, tape, tape.cursor, v)
            return
        where: tuple[Operand, ...]
        if tape.kind == "indexed":
            where = tuple(self.index[outer] for outer in tape.loops)
        else:
            counter = self.plan.counts_own_trips(loop)
            cursor = counter if counter is not None else self.env[self.plan.cursors[loop]]
            array = self.grown(b, array, cursor, None if self.plan.fills(tape) else ())
            where = (cursor,)
        if tape.kind == "growing" and loop in self.plan.cursors and self.plan.may_rewrite(tape):
            b.role = ""  # an entry of a trip that is not counted is written again
        written = b.emit(OPS["setitem"], array, v, *where, name=tape.cell.name, path=tape.path)
        self.env[tape.cell] = written

    def append(self, b: Builder, tape: Tape, cursor: Value, v: Value) -> None:
        """Append the write of all elements of `v` at the end of a flat tape."""
        lo = self.env[cursor]
        count = b.emit(OPS["size"], v, axis=None)
        hi = b.emit(OPS["add"], lo, count, name=cursor.name)
        array = self.grown(b, self.env[tape.cell], hi, (count,))
        row = b.emit(OPS["reshape"], v, Literal(-1))
        if self.plan.may_rewrite(tape):
            b.role = ""
        self.env[tape.cell] = b.emit(OPS["setitem"], array, row, lo, hi, name=tape.cell.name, path=tape.path)
        self.env[cursor] = hi

    def grown(
        self, b: Builder, array: Operand, cursor: Operand, more: tuple[Operand, ...] | None = None
    ) -> Operand:
        """Append the growing of a tape that is full: doubling, where every entry up to the cursor is
        written; else (`more`) up to the cursor, with room for `more` elements."""
        t = array.type
        assert isinstance(t, Array)
        assert isinstance(array, Value)
        length = b.emit(OPS["size"], array, axis=0)
        test = "equal" if more is None else "greater" if more else "greater_equal"
        full = b.emit(OPS[test], cursor, length)
        inner = b.inner()
        if more is None:
            room = inner.emit(OPS["empty_like"], array, dtype=None)
        else:
            count = inner.emit(OPS["add"], *((length, *more) if more else (cursor, Literal(1))))
            rest = [inner.emit(OPS["size"], array, axis=k) for k in range(1, t.ndim)]
            room = inner.emit(OPS["empty"], count, *rest, dtype=t.dtype)
        twice = inner.emit(OPS["concatenate"], array, room, name=array.name, axis=0)
        result = Value(array.name, Array(t.dtype, (self.plan.sizes.fresh(), *t.shape[1:])))
        keep = Block((), (), End("yield", (array,)))
        (grown,) = b.owner(IF, (full,), (inner.block((), "yield", twice), keep), (result,))
        return grown


def _writes(instr: Instr) -> bool:
    return instr.op.alias is Alias.INPLACE or any(_writes(i) for b in instr.blocks for i in b.walk())


def trip_index(b: Builder, loop: Instr, i: Operand) -> Operand:
    """Append the entry of a trip in an indexed tape: a number from 0 to the number of trips."""
    lo, hi, step = loop.args[:3]
    by = _known(step)
    if by == 1:
        return _minus(b, i, lo)
    if by == -1:
        return _minus(b, i, hi, 1)
    return b.emit(OPS["floor_divide"], _minus(b, i, lo), step)


def _known(a: Operand) -> int | None:
    t = a.type
    if isinstance(t, Scalar) and t.size is not None and t.size.is_const:
        return t.size.const
    return None


def _minus(b: Builder, i: Operand, base: Operand, more: int = 0) -> Operand:
    """Append `i - (base + more)`."""
    known = _known(base)
    if known is not None:
        offset = known + more
        if offset == 0:
            return i
        return b.emit(OPS["subtract" if offset > 0 else "add"], i, Literal(abs(offset)))
    out = b.emit(OPS["subtract"], i, base)
    return b.emit(OPS["subtract"], out, Literal(more)) if more else out
