"""Values that still stand in an array when its loops are over: elements that are not written again.

A dependence test on affine indices. An element that was read or written in some trip is final if no write
that comes later can hit it: later in the same trip, or with one of the common loops further on. It is
enough that one index component differs for certain. And every way that the trip may still take has to hand
the version on: one that returns hands on an older one, if nobody reads the array any more.
"""

from __future__ import annotations

from collections.abc import Iterator

from s2sad.analysis.program import Program
from s2sad.ir.core import Block, Instr, Operand, Value
from s2sad.ir.loops import LOOPS, carried, inits, loop_ends
from s2sad.ir.path import At, Index, Span
from s2sad.ir.size import Size
from s2sad.ir.types import Array, Scalar
from s2sad.ops.table import OPS
from s2sad.record import dataclass
from s2sad.transforms.reread import Reread

MOST_PAIRS = 5000  # of accesses to one array that are compared


def final_elements(program: Program) -> dict[Value, Reread]:
    """Return the values that can be read from the arrays that outermost loops leave behind."""
    order = {instr: k for k, instr in enumerate(program.home)}
    found: dict[Value, Reread] = {}
    for loop in program.loops:
        if program.loop_of[program.home[loop]] is not None:
            continue
        for k, p in enumerate(carried(loop)):
            if isinstance(p.type, Array):
                found.update(_Buffer(program, order, loop, k).final())
    return found


@dataclass(frozen=True, slots=True)
class Access:
    """One element or row of a version of the array: the instruction that reads or writes it, the version,
    and an index per axis, None if not known."""

    instr: Instr
    version: Value
    index: tuple[Size | None, ...] | None


@dataclass(frozen=True, slots=True)
class Range:
    """The values of a loop's index: `lo <= symbol <= hi`."""

    symbol: str
    lo: Size
    hi: Size


class _Buffer:
    """The versions of one array that an outermost loop carries, and what reads and writes them. Only
    versions from which the last one descends count, and they have to descend from the first."""

    def __init__(self, program: Program, order: dict[Instr, int], loop: Instr, k: int):
        self.program, self.order, self.loop, self.slot = program, order, loop, k
        self.fixed = _symbols_outside(program, loop)
        self.versions: set[Value] = set()
        self.writes: list[Access] = []
        self.slots: dict[Instr, int] = {}  # in which slot of a loop the array is
        self.known = self.trace_loop(loop, k)
        self.reads = [i for i in loop.blocks[-1].walk() if self.is_read(i)] if self.known else []

    def is_read(self, instr: Instr) -> bool:
        """True for a read of a part of one of the versions."""
        return instr.op is OPS["getitem"] and instr.args[0] in self.versions

    def trace_loop(self, loop: Instr, k: int) -> bool:
        """Note the versions in a loop, from its ends backwards; False if they do not all descend from the
        one that a trip finds."""
        self.slots[loop] = k
        p = carried(loop)[k]
        ends = [end.args[k] for end in loop_ends(loop.blocks[-1])]
        self.versions.add(p)
        return all(self.trace(a, p, loop.blocks[-1]) for a in ends)

    def trace(self, a: Operand, first: Value, body: Block) -> bool:
        """Note the versions from `a` back to `first`."""
        while a is not first:
            if not isinstance(a, Value) or not self.program.inside(self.program.block_of[a], body):
                return False
            instr = self.program.producer.get(a)
            if instr is None:
                return False
            if a in self.versions:
                return True
            self.versions.add(a)
            if instr.op in (OPS["setitem"], OPS["accum"]):
                self.writes.append(Access(instr, a, _index(instr, 2)))
                a = instr.args[0]
            elif instr.op.name in LOOPS:
                k = instr.results.index(a)
                if not self.trace_loop(instr, k):
                    return False
                a = inits(instr)[k]
            elif instr.op.name == "if":
                k = instr.results.index(a)
                going = [b.end.args[k] for b in instr.blocks if b.end.kind == "yield"]
                return all(self.trace(x, first, body) for x in going)
            else:
                return False
        return True

    def is_handed_on(self, version: Value, at: Instr) -> bool:
        """True if all ends of the trip that are reached from `at` hand on what descends from a version, and
        so with the loops around."""
        loop = self.program.loop_of[self.program.block_of[version]]
        assert loop is not None
        while (inner := self.program.loop_of[self.program.home[at]]) is not loop:
            assert inner is not None
            at = inner
        k = self.slots[loop]
        for block in self.program.frame_blocks(loop.blocks[-1]):
            is_end = block is loop.blocks[-1] or block.end.kind == "break"
            if is_end and self.follows(block, at) and not self.descends(block.end.args[k], version):
                return False
        return loop is self.loop or self.is_handed_on(loop.results[k], loop)

    def follows(self, block: Block, at: Instr) -> bool:
        """True if the end of a block may be reached from an instruction."""
        here: Block | None = self.program.home[at]
        inner: Instr = at
        while here is not None and not self.program.inside(block, here):
            inner = self.program.owner[here]
            here = self.program.parent.get(here)
        if here is None or here is block:
            return here is block
        while self.program.parent[block] is not here:
            block = self.program.parent[block]
        return here.instrs.index(self.program.owner[block]) > here.instrs.index(inner)

    def descends(self, a: Operand, version: Value) -> bool:
        """True if an array is a version, or one of those that come of it, whichever branches are taken."""
        while a is not version:
            instr = self.program.producer.get(a) if isinstance(a, Value) else None
            if instr is None:
                return False
            if instr.op.name == "if":
                k = instr.results.index(a)
                inside = [b for b in instr.blocks if self.program.inside(self.program.block_of[version], b)]
                going = inside or [b for b in instr.blocks if b.end.kind == "yield"]
                return all(self.descends(b.end.args[k], version) for b in going)
            a = inits(instr)[instr.results.index(a)] if instr.op.name in LOOPS else instr.args[0]
        return True

    def final(self) -> Iterator[tuple[Value, Reread]]:
        """Yield the values that can be read from the last version."""
        if not self.known or self.program.owner.get(self.program.home[self.loop]) is not None:
            return
        if (len(self.reads) + len(self.writes)) * len(self.writes) > MOST_PAIRS:
            return
        last = self.loop.results[self.slot]
        for read in self.reads:
            version = read.args[0]
            assert isinstance(version, Value)
            access = Access(read, version, _index(read, 1))
            if access.index is not None and self.is_final(access) and self.is_handed_on(version, read):
                yield read.result, Reread(last, read.args[1:], read.param("path"))
        for write in self.writes:
            v = write.instr.args[1]
            if not isinstance(v, Value) or not self.is_kept(write, v) or not self.is_final(write):
                continue
            if self.is_handed_on(write.version, write.instr):
                yield v, Reread(last, write.instr.args[2:], write.instr.param("path"))

    def is_kept(self, write: Access, v: Value) -> bool:
        """True if what is written is the value itself: no other dtype, not broadcast, not added, and it is
        written whenever it is computed, for the reversed part of a trip may end in between."""
        array = write.version.type
        if write.instr.op is not OPS["setitem"] or write.index is None or v.type.dtype != array.dtype:
            return False
        home = self.program.block_of[v]
        if self.program.home[write.instr] is not home:
            return False
        maker = self.program.producer.get(v)
        first = home.instrs.index(maker) + 1 if maker is not None else 0
        if any(map(_may_leave, home.instrs[first : home.instrs.index(write.instr)])):
            return False
        (step,) = write.instr.param("path") or (Index(()),)
        whole = all(item == At() or item == Span() for item in step.items)
        shape = tuple(n for n, item in zip(array.shape, step.items, strict=False) if item == Span())
        return whole and len(step.items) == array.ndim and v.type.shape == shape

    def is_final(self, access: Access) -> bool:
        """True if no write that comes later can hit what was accessed."""
        return all(self.apart(access, write) for write in self.writes)

    def apart(self, access: Access, write: Access) -> bool:
        """True if the write, where it comes after the version accessed, hits something else."""
        if write.index is None or access.index is None:
            return False
        mine = self.loops(self.program.block_of[access.version])
        other = self.loops(self.program.home[write.instr])
        common = 0
        while common < min(len(mine), len(other)) and mine[common] is other[common]:
            common += 1
        around = self.loops(self.program.home[access.instr])
        for level in range(common):
            if not self.differs(access, write, around, other, level):
                return False
        later = self.order[write.instr] > self.position(access.version)
        return not later or self.differs(access, write, around, other, common, same_trip=True)

    def position(self, version: Value) -> int:
        """Return the place in program order at which a version comes into being."""
        instr = self.program.producer.get(version)
        if instr is None:  # carried: at the head of the body, whose instructions follow the loop
            return self.order[self.program.owner[self.program.block_of[version]]]
        inside = [self.order[i] for b in instr.blocks for i in b.walk()]
        return max([self.order[instr], *inside])

    def loops(self, block: Block) -> list[Instr]:
        """Return the loops around a block, outermost first."""
        inner = self.program.loop_of[block]
        return self.program.enclosing(inner) if inner is not None else []

    def differs(
        self,
        access: Access,
        write: Access,
        mine: list[Instr],
        other: list[Instr],
        level: int,
        same_trip: bool = False,
    ) -> bool:
        """True if some index component differs when the loop at `level` is further on for the write, and
        the loops around it are in the same trip (`same_trip`: the common loops all are)."""
        assert access.index is not None
        assert write.index is not None
        around = [r for r in map(_range, mine) if r is not None]
        local = {r.symbol for r in [*around, *(r for r in map(_range, other) if r is not None)]}
        if not all(self.is_affine(n, local) for r in around for n in (r.lo, r.hi)):
            return False
        ranges: list[Range] = []
        for j, loop in enumerate(other[level:]):
            found = _range(loop)
            if found is None or not (self.is_affine(found.lo, local) and self.is_affine(found.hi, local)):
                return False
            ahead = found.symbol + "'"
            renamed = {r.symbol.rstrip("'"): Size.symbol(r.symbol) for r in ranges}
            lo, hi = found.lo.substitute(renamed), found.hi.substitute(renamed)
            if j == 0 and not same_trip:
                lo = Size.symbol(found.symbol) + 1
            ranges.append(Range(ahead, lo, hi))
        primed = {r.symbol.rstrip("'"): Size.symbol(r.symbol) for r in ranges}
        for a, w in zip(access.index, write.index, strict=True):
            if a is None or w is None or not self.is_affine(a, local) or not self.is_affine(w, local):
                continue
            if not self.nonnegative(a, mine) or not self.nonnegative(w, other):
                continue
            gap = w.substitute(primed) - a
            low, high = gap, -gap
            for r in [*reversed(ranges), *reversed(around)]:
                low, high = _lowest(low, r), _lowest(high, r)
            if any(e.is_const and e.const >= 1 for e in (low, high)):
                return True
        return False

    def is_affine(self, size: Size, local: set[str]) -> bool:
        """True if a size is linear in the loops' indices, with numbers fixed before the loops beside."""
        for atom, _ in size.terms:
            inside = Size(((atom, 1),)).symbols()
            if not inside <= self.fixed and not (atom.kind == "symbol" and inside <= local):
                return False
        return True

    def nonnegative(self, size: Size, loops: list[Instr]) -> bool:
        """True if an index is never negative: negative ones count from the end."""
        for r in reversed([r for r in map(_range, loops) if r is not None]):
            size = _lowest(size, r)
        return size.is_const and size.const >= 0


def _may_leave(instr: Instr) -> bool:
    """True if control may leave the trip in an instruction."""
    if instr.op.name != "if":
        return False
    return any(b.end.kind in ("break", "continue") or any(map(_may_leave, b.instrs)) for b in instr.blocks)


def _symbols_outside(program: Program, loop: Instr) -> set[str]:
    """Return the size symbols that mean the same number in all trips of a loop."""
    body = loop.blocks[-1]
    found: set[str] = set()
    for v, block in program.block_of.items():
        if not program.inside(block, body):
            sizes = v.type.shape if isinstance(v.type, Array) else (v.type.size,)
            for n in sizes:
                found |= n.symbols() if n is not None else frozenset()
    return found


def _lowest(size: Size, r: Range) -> Size:
    """Return the least value of a size over a range, in terms of the other symbols."""
    slope = next((k for atom, k in size.terms if atom.name == r.symbol), 0)
    if slope == 0:
        return size
    return size.substitute({r.symbol: r.lo if slope > 0 else r.hi})


def _range(loop: Instr) -> Range | None:
    """Return the range of the index of a `for` with step 1."""
    if loop.op.name != "for":
        return None
    t = loop.blocks[0].params[0].type
    lo, hi, step = (a.type.size if isinstance(a.type, Scalar) else None for a in loop.args[:3])
    if not isinstance(t, Scalar) or t.size is None or lo is None or hi is None or step != Size.of(1):
        return None
    terms = t.size.terms
    if len(terms) != 1 or t.size.const or terms[0][0].kind != "symbol" or terms[0][1] != 1:
        return None
    return Range(terms[0][0].name, lo, hi - 1)


def _index(instr: Instr, first: int) -> tuple[Size | None, ...] | None:
    """Return the index of a read or write, one entry per axis; None for an axis that is taken whole or by
    something not understood. No index at all if the path is more than one step of ints and slices."""
    path = instr.param("path")
    if len(path) != 1 or not isinstance(path[0], Index):
        return None if path else (None,) * instr.args[0].type.ndim
    operands: list[Operand] = list(instr.args[first:])
    found: list[Size | None] = []
    for item in path[0].items:
        match item:
            case At():
                t = operands.pop(0).type
                found.append(t.size if isinstance(t, Scalar) else None)
            case Span(lo, hi, step):
                del operands[: lo + hi + step]
                found.append(None)
            case _:
                return None
    return tuple(found)
