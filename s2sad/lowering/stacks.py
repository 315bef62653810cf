"""A product of stacks of matrices, and what surrounds it, entry by entry of the stack.

    centred = x[:, None, :] - means                for c in range(k):
    scaled = diag * centred + np.einsum(               centred = x - means[c]
        "kij,nkj->nki", triangle, centred              scaled = diag[c] * centred + centred @ triangle[c].T
    )
    norm2 = np.sum(scaled ** 2, axis=2)                norm2[:, c] = np.sum(scaled ** 2, axis=1)

BLAS multiplies one pair of matrices after the other anyway. What is done to them in between is done while
they are in the cache, and the arrays of all entries are not made. Where what surrounds several products
depends on all entries (a sum over them, say), there are several loops, each as late as it has to be. Only
where the matrices are worth the call of BLAS; else each statement is done for the whole stack.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from s2sad.ir.builder import Builder, Sizes
from s2sad.ir.core import Block, Function, Instr, Literal, Operand, Value
from s2sad.ir.size import Size
from s2sad.ir.types import Array
from s2sad.ir.walk import used_values
from s2sad.lowering.einsum import SMALL, WORTH_A_CALL
from s2sad.lowering.entries import REDUCTIONS, Course, courses, entry, part, placed
from s2sad.lowering.linalg import has_blas
from s2sad.ops.blocks import State, branch, for_loop
from s2sad.ops.linalg import split_subscripts
from s2sad.ops.table import OPS
from s2sad.passes.base import sizes_after
from s2sad.passes.rewrite import Rewriter
from s2sad.passes.sizes import Resolver
from s2sad.record import dataclass, replace

CHEAP = 2.0  # flops per element of what each loop computes for itself


def in_stacks(fn: Function) -> Function:
    """Return the function with products of stacks in loops over the stack, where that saves an array."""
    return _Stacks(fn).function(fn)


class _Stacks(Rewriter):
    def __init__(self, fn: Function) -> None:
        super().__init__()
        self.fn = fn
        self.sizes: Sizes | None = None

    def block(self, block: Block) -> Block:
        block = super().block(block)
        tried: set[Size] = set()
        while (n := _next(block, tried)) is not None:
            tried.add(n)
            self.sizes = self.sizes or sizes_after(self.fn)
            block = _split(block, n, self.sizes)
        return block


def _next(block: Block, tried: set[Size]) -> Size | None:
    """Return the length of a stack of products in the block."""
    for instr in block.instrs:
        course = _course_of_product(instr)
        if course is not None and (n := instr.result.type.shape[course.result]) not in tried:
            return n
    return None


def _course_of_product(instr: Instr) -> Course | None:
    """Return the course of a stack of products of matrices that BLAS knows."""
    if instr.op.name not in SMALL or len(instr.args) != 2 or not has_blas(instr.result.type.dtype):
        return None
    if instr.op.name == "einsum" and not _core(instr):
        return None
    along = (c for c in courses(instr) if None not in c.args)
    return next((c for c in along if c.keeps(instr, instr.result.type.shape[c.result])), None)


def _core(instr: Instr) -> list[Size]:
    """Return the sizes of one product of matrices in a stack; none if it is no such product."""
    if instr.op.name == "matmul":
        left, right = (x.type.shape for x in instr.args)
        return [*left[-2:], right[-1]]
    inputs, output = split_subscripts(instr.param("subscripts"))
    shapes = [x.type.shape for x in instr.args]
    sizes = {c: n for s, shape in zip(inputs, shapes, strict=True) for c, n in zip(s, shape, strict=True)}
    a, b, kept = map(set, (*inputs, output))
    groups = ((a - b) & kept, a & b - kept, (b - a) & kept)
    if not all(groups) or not a ^ b <= kept:
        return []
    return [sizes[c] for c in sorted(set().union(*groups))]


def _split(block: Block, n: Size, sizes: Sizes) -> Block:
    """Return the block with the statements around products of stacks of `n` in loops."""
    runs = list(_straight(block.instrs))
    instrs: list[Instr] = []
    for run in runs:
        others = (v for other in runs if other is not run for instr in other for v in used_values(instr))
        instrs += _Run(run, n, {*others, *block.end.args}).divided(sizes)
    return block if tuple(instrs) == block.instrs else replace(block, instrs=tuple(instrs))


def _straight(instrs: Sequence[Instr]) -> Iterator[list[Instr]]:
    """Yield runs of instructions without control flow and effects, and the others one by one."""
    run: list[Instr] = []
    for instr in instrs:
        if instr.blocks or not (instr.op.pure or instr.op.name == "comment"):
            yield from (run, [instr])
            run = []
        else:
            run.append(instr)
    yield run


def _is_big(a: Operand) -> bool:
    return isinstance(a.type, Array) and a.type.ndim >= 3


class _Run:
    """A run of instructions of which those with a course go into loops over `n` entries. What is `wanted` is
    read behind it.

    Instructions have a time: 2 k - 1 if they are in loop k, 2 k if they are between that and the next one.
    Those that are `free`, cheap and of nothing that a loop makes, are computed wherever they are read."""

    def __init__(self, run: list[Instr], n: Size, wanted: set[Operand]) -> None:
        self.run, self.n, self.wanted = run, n, wanted
        self.maker: dict[Operand, Instr] = {r: i for i in run for r in i.results}
        self.users: dict[Operand, list[Instr]] = {}
        for instr in run:
            for a in dict.fromkeys(instr.args):
                self.users.setdefault(a, []).append(instr)
        products = {i: c for i in run if (c := _course_of_product(i)) is not None}
        self.products = [i for i, c in products.items() if c.keeps(i, n)]
        self.course = {i: products[i] for i in self.products}
        self.time: dict[Instr, int] = {}
        self.free: set[Instr] = set()

    def divided(self, sizes: Sizes) -> list[Instr]:
        """Return the instructions, in loops where that saves an array."""
        if not self.products:
            return self.run
        self.grow()
        self.plan()
        loops = sorted({self.time[i] for i in self.products})
        saved = [i for i in self.course if self.looped(i) and _is_big(i.result) and not self.leaves(i)]
        return _Writer(self, sizes).written(loops) if saved else self.run

    def grow(self) -> None:
        """Find what goes along with the products: what makes or reads large arrays."""
        todo = list(self.products)
        while todo:
            instr = todo.pop(0)
            course = self.course[instr]
            near: list[tuple[Instr, Course]] = []
            for a, axis in zip(instr.args, course.args, strict=True):
                if _is_big(a) and a in self.maker and axis is not None:
                    maker = self.maker[a]
                    near += [(maker, c) for c in courses(maker) if c.result == axis]
            for user in self.users.get(instr.result, ()) if _is_big(instr.result) else ():
                k = user.args.index(instr.result)
                near += [(user, c) for c in courses(user) if c.args[k] == course.result]
            for other, c in near:
                if other not in self.course and c.keeps(other, self.n):
                    self.course[other] = c
                    todo.append(other)

    def plan(self) -> None:
        """Find the time of each instruction: as early as its operands allow, or, if no more is then to be
        kept between loops, as late as what reads it."""
        before = 0
        for instr in self.run:
            if instr in self.course and self.is_free(instr):
                self.free.add(instr)
            times = [self.available(a, instr, k) for k, a in enumerate(instr.args)]
            first = max(times, default=before if instr.op.name == "comment" else 0)
            in_loop = instr in self.course and instr not in self.free
            self.time[instr] = before = first + (first % 2 == 0) if in_loop else first + first % 2
        kept = {self.time[i] for i in self.products}
        for instr in self.course:
            if self.looped(instr) and self.time[instr] not in kept:
                self.time[instr] += 1  # nothing to go along with
        for instr in reversed(self.run):
            if self.looped(instr) and self.is_cheap(instr) and (later := self.read_first(instr)) is not None:
                arrays = [
                    m
                    for a in instr.args
                    if (m := self.maker.get(a)) is not None and self.goes_along(m, instr)
                ]
                if sum(not self.leaves(m) for m in arrays) <= 1:
                    self.time[instr] = later

    def looped(self, instr: Instr) -> bool:
        """True for what is in a loop, and there only."""
        return self.time.get(instr, 0) % 2 == 1

    def is_cheap(self, instr: Instr) -> bool:
        return instr.op.cost <= CHEAP and instr.op.name not in (*SMALL, *REDUCTIONS)

    def is_free(self, instr: Instr) -> bool:
        made = [m for a in instr.args if (m := self.maker.get(a)) is not None]
        return self.is_cheap(instr) and all(m not in self.course or m in self.free for m in made)

    def along(self, a: Operand, user: Instr, k: int) -> bool:
        """True if the operand at `k` is read entry by entry as it is made."""
        maker = self.maker.get(a) if isinstance(a, Value) else None
        if maker is None or maker not in self.course or user not in self.course:
            return False
        return self.course[maker].result == self.course[user].args[k]

    def available(self, a: Operand, user: Instr, k: int) -> int:
        """Return the time from which `user` may read an operand."""
        maker = self.maker.get(a) if isinstance(a, Value) else None
        if maker is None:
            return 0
        made = self.time[maker]
        return made if made % 2 == 0 or self.along(a, user, k) else made + 1

    def goes_along(self, maker: Instr, user: Instr) -> bool:
        return self.looped(maker) and self.time[maker] == self.time[user]

    def leaves(self, instr: Instr) -> bool:
        """True if what a loop makes is read elsewhere."""
        users = self.users.get(instr.result, ())
        return instr.result in self.wanted or any(self.time[u] != self.time[instr] for u in users)

    def read_first(self, instr: Instr) -> int | None:
        """Return the time of the first loop that reads a result, entry by entry, as all its readers do; None
        if that is its own or there is none."""
        users = self.users.get(instr.result, [])
        places = [(u, k) for u in users for k, a in enumerate(u.args) if a is instr.result]
        if instr.result in self.wanted or not all(
            self.looped(u) and self.along(instr.result, u, k) for u, k in places
        ):
            return None
        first = min((self.time[u] for u in users), default=self.time[instr])
        return first if first > self.time[instr] else None


@dataclass(frozen=True, slots=True)
class _Slab:
    """One entry of what a loop makes and reads: `parts` of whole arrays, `made` in this trip."""

    index: Operand
    made: dict[Operand, Operand]
    parts: dict[tuple[Operand, int], Operand]


class _Writer:
    """Writes the loops of a run and what is between them."""

    def __init__(self, run: _Run, sizes: Sizes) -> None:
        self.run, self.sizes = run, sizes
        inside = run.maker
        self.scope = Resolver(a for i in run.run for a in i.args if isinstance(a, Value) and a not in inside)
        self.whole = self.read_whole()

    def read_whole(self) -> set[Instr]:
        """Return which of the free instructions are needed as arrays as well."""
        run = self.run
        found: set[Instr] = set()
        for instr in reversed(run.run):
            users = run.users.get(instr.result, []) if instr in run.free else []
            outside = [u for u in users if not run.looped(u) and (u not in run.free or u in found)]
            unlike = [
                u for u in users for k, a in enumerate(u.args) if a is instr.result and not run.along(a, u, k)
            ]
            if instr in run.free and (outside or unlike or instr.result in run.wanted):
                found.add(instr)
        return found

    def written(self, loops: list[int]) -> list[Instr]:
        """Return the instructions of the run."""
        run = self.run
        made: list[Instr] = []
        for time in range(max(run.time.values()) + 1):
            members = [i for i in run.run if run.time[i] == time and (i not in run.free or i in self.whole)]
            if time not in loops:
                made += members
                for instr in members:
                    for r in instr.results:
                        self.scope.see(r)
                continue
            looped = self.loop(members)
            if looped is None:
                return run.run
            made += looped
        return made

    def loop(self, members: list[Instr]) -> list[Instr] | None:
        """Return a loop over entries, where the matrices are worth it; None if a size is not to be had."""
        run, scope = self.run, self.scope
        outs = [i.result for i in members if run.leaves(i)]
        core = _core(next(i for i in members if i in run.products))
        alike = sorted(map(str, core))
        if not all(map(scope.knows, (run.n, *core))) or not all(scope.knows_shape(v.type) for v in outs):
            return None
        b = Builder(self.sizes, members[0].origin)
        b.role = members[0].role

        def entries(b: Builder) -> Sequence[Operand]:
            bounds = (Literal(0), scope.operand(b, run.n), Literal(1))
            rows = [
                b.emit(
                    OPS["empty"],
                    *(scope.operand(b, n) for n in v.type.shape),
                    name=v.name,
                    dtype=v.type.dtype,
                )
                for v in outs
            ]
            return for_loop(b, bounds, tuple(rows), outs, "entry", trip)

        def trip(b: Builder, i: Operand, slots: State) -> Sequence[Operand]:
            slab = _Slab(i, {}, {})
            for instr in members:
                self.entry(b, instr, slab)
            return [
                placed(b, slot, run.course[run.maker[v]].result, i, slab.made[v])
                for slot, v in zip(slots, outs, strict=True)
                if isinstance(slot, Value)
            ]

        def as_before(b: Builder) -> Sequence[Operand]:
            copied: dict[Operand, Operand] = {}
            for instr in self.with_free(members):
                results = tuple(Value(r.name, r.type) for r in instr.results)
                is_like = instr in run.products and sorted(map(str, _core(instr))) == alike
                op = SMALL[instr.op.name] if is_like else instr.op
                args = tuple(copied.get(a, a) for a in instr.args)
                b.add(replace(instr, op=op, args=args, results=results))
                copied.update(zip(instr.results, results, strict=True))
            return [copied[v] for v in outs]

        work: Operand = Literal(1)
        for n in core:
            work = b.emit(OPS["multiply"], work, scope.operand(b, n))
        if not (run.n - 1).is_nonnegative:  # without entries nothing would be checked in the loop
            some = b.emit(OPS["greater"], scope.operand(b, run.n), Literal(0))
            work = b.emit(OPS["where"], some, work, Literal(0))
        worth = b.emit(OPS["greater_equal"], work, Literal(WORTH_A_CALL))
        branch(b, worth, outs, entries, as_before, outs)
        return b.instrs

    def entry(self, b: Builder, instr: Instr, slab: _Slab) -> None:
        """Append one entry of an instruction."""
        run = self.run
        course = run.course[instr]
        args: list[Operand] = []
        for k, a in enumerate(instr.args):
            axis = course.args[k]
            if not isinstance(a, Value) or axis is None:
                args.append(a)
                continue
            maker = run.maker.get(a)
            if maker in run.free and run.along(a, instr, k) and a not in slab.made:
                self.entry(b, maker, slab)
            if a in slab.made and run.along(a, instr, k):
                args.append(slab.made[a])
                continue
            if (a, axis) not in slab.parts:
                at = Literal(0) if a.type.shape[axis] != run.n else slab.index
                slab.parts[a, axis] = part(b, a, axis, at)
            args.append(slab.parts[a, axis])
        b.origin, b.role = instr.origin, instr.role
        slab.made[instr.result] = entry(b, instr, course, args)

    def with_free(self, members: list[Instr]) -> list[Instr]:
        """Return the instructions and the free ones that they read, in order."""
        run = self.run
        needed = set(members)
        for instr in reversed(run.run):
            if instr in needed:
                needed |= {
                    m for a in instr.args if (m := run.maker.get(a)) in run.free and m not in self.whole
                }
        return [i for i in run.run if i in needed]
