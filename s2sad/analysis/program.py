"""Where values, instructions and blocks of a function stand."""

from __future__ import annotations

from s2sad.ir.core import Block, Function, Instr, Value
from s2sad.ir.loops import LOOPS


class Program:
    """An index of a function. A *frame* is the body of a loop, or the function, with the branches of
    the ifs in it but not the loops in it: what runs at most once per trip."""

    def __init__(self, fn: Function):
        self.fn = fn
        self.block_of: dict[Value, Block] = {}  # in which block a value is defined
        self.producer: dict[Value, Instr] = {}  # parameters have none
        self.owner: dict[Block, Instr] = {}
        self.parent: dict[Block, Block] = {}
        self.home: dict[Instr, Block] = {}
        self.loop_of: dict[Block, Instr | None] = {}  # the frame, by its loop
        self.loops: list[Instr] = []  # outer before inner
        for p in fn.params:
            self.block_of[p] = fn.block
        self._index(fn.block, None)

    def _index(self, block: Block, loop: Instr | None) -> None:
        self.loop_of[block] = loop
        for p in block.params:
            self.block_of[p] = block
        for instr in block.instrs:
            self.home[instr] = block
            if instr.op.name in LOOPS:
                self.loops.append(instr)
            for inner in instr.blocks:
                self.owner[inner] = instr
                self.parent[inner] = block
                self._index(inner, instr if instr.op.name in LOOPS else loop)
            for r in instr.results:
                self.block_of[r] = block
                self.producer[r] = instr

    def frame(self, v: Value) -> Instr | None:
        """Return the loop in whose frame `v` is defined."""
        return self.loop_of[self.block_of[v]]

    def enclosing(self, loop: Instr) -> list[Instr]:
        """Return the loops around and including `loop`, outermost first."""
        found = [loop]
        block = self.home[loop]
        while (outer := self.loop_of[block]) is not None:
            found.append(outer)
            block = self.home[outer]
        return found[::-1]

    def inside(self, block: Block, outer: Block) -> bool:
        """True if `block` is `outer` or nested in it."""
        while block is not outer:
            if block not in self.parent:
                return False
            block = self.parent[block]
        return True

    def frame_blocks(self, block: Block) -> list[Block]:
        """Return `block` and the branches of ifs in it, loops not looked into."""
        found = [block]
        for instr in block.instrs:
            if instr.op.name == "if":
                for inner in instr.blocks:
                    found += self.frame_blocks(inner)
        return found
