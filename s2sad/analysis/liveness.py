"""Which values are still needed after each instruction, exactly, over structured control flow.

Sets of values are bit masks (Python ints) over `Numbering`: programs have thousands of values, and
every question asked here is a union or an intersection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from operator import or_

from s2sad.ir.core import Block, End, Function, Instr, Operand, Value
from s2sad.ir.loops import carried
from s2sad.record import dataclass

Reads = Callable[[Instr | End], int]


class Numbering:
    """A bit for each value of a function, in program order. The condition and the body of a `while`
    see the same carried values: their parameters share bits."""

    def __init__(self, fn: Function, reserved: int = 0):
        self.bits: dict[Value, int] = {}
        self.values: list[Value] = []
        self.reserved = reserved
        for value in fn.params:
            self._add(value)
        self._block(fn.block)

    def __getitem__(self, value: Value) -> int:
        return self.bits[value]

    def mask(self, values: Iterable[Operand]) -> int:
        """Return the mask of all values among the operands."""
        found, bits = 0, self.bits
        for v in values:
            if isinstance(v, Value):
                found |= bits[v]
        return found

    def members(self, mask: int) -> Iterator[Value]:
        """Yield the values of a mask in program order; reserved bits are passed over."""
        mask >>= self.reserved
        while mask:
            low = mask & -mask
            yield self.values[low.bit_length() - 1]
            mask ^= low

    def _add(self, value: Value) -> None:
        self.bits[value] = 1 << (self.reserved + len(self.values))
        self.values.append(value)

    def _block(self, block: Block) -> None:
        for value in block.params:
            self._add(value)
        self._inside(block)

    def _inside(self, block: Block) -> None:
        for instr in block.instrs:
            if instr.op.name == "while":
                cond, body = instr.blocks
                self._block(body)
                for c, p in zip(cond.params, body.params, strict=True):
                    self.bits[c] = self.bits[p]
                self._inside(cond)
            else:
                for inner in instr.blocks:
                    self._block(inner)
            for value in instr.results:
                self._add(value)


@dataclass(slots=True)
class Liveness:
    """`after[instr]`: values live after it, its own results included if they are read; `entry[block]`:
    values live where the block begins, parameters included; `head[loop]`: values live where a loop
    decides on the next trip: what its body or what follows needs."""

    after: dict[Instr, int]
    entry: dict[Block, int]
    head: dict[Instr, int]


def liveness(fn: Function, numbering: Numbering, reads: Reads | None = None) -> Liveness:
    """Return the liveness of all values. `reads` may say that operands are read elsewhere (emission
    evaluates an expression where it is printed): it gives the mask of what an instruction or an end reads
    itself, nested blocks not included."""
    return _Walk(numbering, reads or (lambda node: numbering.mask(node.args))).run(fn)


@dataclass(frozen=True, slots=True)
class _Targets:
    """What is live where the ends of a block lead to."""

    falls: int = 0  # yield
    next: int = 0  # continue
    leaves: int = 0  # break


class _Walk:
    def __init__(self, numbering: Numbering, reads: Reads):
        self.of = numbering
        self.reads_of = reads
        self.reads: dict[Instr | Block, int] = {}  # of instructions, and of the ends of blocks
        self.free: dict[Instr, int] = {}
        self.found = Liveness({}, {}, {})

    def run(self, fn: Function) -> Liveness:
        self.free_of(fn.block)
        self.block(fn.block, _Targets())
        return self.found

    def free_of(self, block: Block) -> int:
        """Note what the blocks of every instruction read from outside; return it for this block."""
        read = self.reads[block] = self.reads_of(block.end)
        defined = self.of.mask(block.params)
        for instr in block.instrs:
            inside = self.reads[instr] = self.reads_of(instr)
            read |= inside
            if instr.blocks:
                free = self.free[instr] = reduce(or_, map(self.free_of, instr.blocks))
                read |= free
            defined |= self.of.mask(instr.results)
        return read & ~defined

    def block(self, block: Block, to: _Targets) -> int:
        live = self.reads[block]
        match block.end.kind:
            case "yield":
                live |= to.falls
            case "continue":
                live |= to.next
            case "break":
                live |= to.leaves
        for instr in reversed(block.instrs):
            self.found.after[instr] = live
            live = self.instr(instr, live, to)
        self.found.entry[block] = live
        return live & ~self.of.mask(block.params)

    def instr(self, instr: Instr, live: int, to: _Targets) -> int:
        out = live & ~self.of.mask(instr.results)
        reads = self.reads[instr]
        if not instr.blocks:
            return reads | out
        match instr.op.name:
            case "if":
                inner = _Targets(out, to.next, to.leaves)
                for block in instr.blocks:
                    reads |= self.block(block, inner)
                return reads
            case _:
                return reads | self.loop(instr, out, live)

    def loop(self, instr: Instr, out: int, after: int) -> int:
        body = instr.blocks[-1]
        # A carried value is needed at the head if the result is needed after the loop.
        slots = carried(instr)
        passed = 0
        for p, r in zip(slots, instr.results, strict=True):
            if self.of[r] & after:
                passed |= self.of[p]
        around = out | (self.free[instr] & ~self.of.mask(slots))
        inside = self.block(body, _Targets(around, around, out))
        head = around | passed | (self.found.entry[body] & self.of.mask(slots))
        if instr.op.name == "while":
            cond = instr.blocks[0]
            wanted = inside | passed | out | (self.found.entry[body] & self.of.mask(slots))
            self.block(cond, _Targets(wanted))
            head |= self.found.entry[cond]
        self.found.head[instr] = head
        return head & ~self.of.mask(slots)
