"""Values that still stand in an array when its loops are over: elements that are not written again.

A dependence test on affine indices. An element that was read or written in some trip is final if no write
that comes later can hit it: later in the same trip, or with one of the common loops further on. It is
enough that one index component differs for certain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from s2sad.analysis.activity import LOOPS, carried, inits
from s2sad.analysis.program import Program
from s2sad.ir.core import Instr, Operand, Value
from s2sad.ir.path import At, Index, Span
from s2sad.ir.size import Size
from s2sad.ir.types import Array, Scalar
from s2sad.ops.table import OPS
from s2sad.passes.rewrite import loop_ends
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
    """A read or write of one element or row: the instruction, and an index per axis, None if not known."""

    instr: Instr
    index: tuple[Size | None, ...] | None


@dataclass(frozen=True, slots=True)
class Range:
    """The values of a loop's index: `lo <= symbol <= hi`."""

    symbol: str
    lo: Size
    hi: Size


class _Buffer:
    """The versions of one array that an outermost loop carries, and what reads and writes them."""

    def __init__(self, program: Program, order: dict[Instr, int], loop: Instr, k: int):
        self.program, self.order, self.loop, self.slot = program, order, loop, k
        self.versions = {carried(loop)[k]}
        self.reads: list[Instr] = []
        self.writes: list[Access] = []
        self.known = self.collect(loop.blocks[-1].instrs) and self.closed(loop, k)

    def collect(self, instrs: tuple[Instr, ...]) -> bool:
        """Note versions, reads and writes; False if the array is handled in a way not understood."""
        for instr in instrs:
            mine = [a for a in instr.args if a in self.versions]
            if instr.op.name in LOOPS:
                slots = [k for k, a in enumerate(inits(instr)) if a in self.versions]
                if len(slots) != len(mine) or len(slots) > 1:
                    return False
                self.versions.update(carried(instr)[k] for k in slots)
                if not self.collect(instr.blocks[-1].instrs):
                    return False
                if not all(self.closed(instr, k) for k in slots):
                    return False
                self.versions.update(instr.results[k] for k in slots)
            elif instr.op.name == "if":
                if not all(self.collect(b.instrs) for b in instr.blocks) or not self.branches(instr):
                    return False
            elif instr.op in (OPS["setitem"], OPS["accum"]) and instr.args[0] in self.versions:
                self.writes.append(Access(instr, _index(instr, 2)))
                self.versions.add(instr.result)
            elif mine and instr.op is OPS["getitem"] and instr.args[0] in self.versions:
                self.reads.append(instr)
        return True

    def branches(self, instr: Instr) -> bool:
        """Note the results of an `if` that are versions; False if only one branch gives one."""
        going = [b for b in instr.blocks if b.end.kind == "yield"]
        for k, r in enumerate(instr.results):
            given = [b.end.args[k] in self.versions for b in going]
            if any(given):
                if not all(given):
                    return False
                self.versions.add(r)
        return True

    def closed(self, loop: Instr, k: int) -> bool:
        """True if every trip hands a version of the array on in the same slot."""
        return all(end.args[k] in self.versions for end in loop_ends(loop.blocks[-1]))

    def final(self) -> Iterator[tuple[Value, Reread]]:
        """Yield the values that can be read from the last version."""
        if not self.known or self.program.owner.get(self.program.home[self.loop]) is not None:
            return
        if (len(self.reads) + len(self.writes)) * len(self.writes) > MOST_PAIRS:
            return
        last = self.loop.results[self.slot]
        for read in self.reads:
            index = _index(read, 1)
            if index is not None and self.is_final(Access(read, index)):
                yield read.result, Reread(last, read.args[1:], read.param("path"))
        for write in self.writes:
            v = write.instr.args[1]
            if write.instr.op is not OPS["setitem"] or write.index is None or not isinstance(v, Value):
                continue
            fits = v.type.dtype == last.type.dtype and v.type.ndim == write.index.count(None)
            if fits and self.program.home[write.instr] is self.program.block_of[v] and self.is_final(write):
                yield v, Reread(last, write.instr.args[2:], write.instr.param("path"))

    def is_final(self, access: Access) -> bool:
        """True if no write that comes later can hit what was accessed."""
        return all(self.apart(access, write) for write in self.writes)

    def apart(self, access: Access, write: Access) -> bool:
        """True if the write, where it comes after the access, hits something else."""
        if write.index is None or access.index is None:
            return False
        mine, other = self.loops(access.instr), self.loops(write.instr)
        common = 0
        while common < min(len(mine), len(other)) and mine[common] is other[common]:
            common += 1
        for level in range(common):
            if not self.differs(access, write, mine, other, level):
                return False
        later = self.order[write.instr] > self.order[access.instr]
        return not later or self.differs(access, write, mine, other, common, same_trip=True)

    def loops(self, instr: Instr) -> list[Instr]:
        """Return the loops around an instruction, outermost first."""
        inner = self.program.loop_of[self.program.home[instr]]
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
        ranges: list[Range] = []
        for j, loop in enumerate(other[level:]):
            found = _range(loop)
            if found is None:
                return False
            ahead = found.symbol + "'"
            renamed = {r.symbol.rstrip("'"): Size.symbol(r.symbol) for r in ranges}
            lo, hi = found.lo.substitute(renamed), found.hi.substitute(renamed)
            if j == 0 and not same_trip:
                lo = Size.symbol(found.symbol) + 1
            ranges.append(Range(ahead, lo, hi))
        primed = {r.symbol.rstrip("'"): Size.symbol(r.symbol) for r in ranges}
        around = [r for r in map(_range, mine) if r is not None]
        local = {r.symbol for r in around} | {r.symbol.rstrip("'") for r in ranges}
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
        """True if a size is linear in the loops' indices and in numbers fixed before the loops."""
        if any(atom.kind != "symbol" for atom, _ in size.terms):
            return False
        return all(s in local or s[0] not in "?$" for s in size.symbols())

    def nonnegative(self, size: Size, loops: list[Instr]) -> bool:
        """True if an index is never negative: negative ones count from the end."""
        for r in reversed([r for r in map(_range, loops) if r is not None]):
            size = _lowest(size, r)
        return size.is_const and size.const >= 0


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
