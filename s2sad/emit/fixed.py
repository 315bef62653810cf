"""What means the same wherever it is printed: names that are never given another value, memory that is
never written. Expressions of these can be repeated (`x.shape[0]`, `x[i]`, `k + 1`)."""

from __future__ import annotations

from s2sad.analysis.storage import Lineage, Storage, written_args
from s2sad.ir import path as paths
from s2sad.ir.core import Block, Function, Instr, Literal, Operand, Value
from s2sad.ir.types import Array

_INDEX_OPS = ("add", "subtract")


class Fixed:
    """What is fixed in one function."""

    def __init__(self, fn: Function, storage: Storage):
        self.storage = storage
        self.lineage = Lineage(fn)
        self.roots: dict[str, set[Operand]] = {}
        self.indices: set[Value] = set()
        self.written = 0
        self.owners: dict[Block, tuple[Instr, Block]] = {}
        self.makers: dict[Value, Instr] = {}
        self._see(fn.params)
        self._visit(fn.block)

    def is_fixed(self, a: Operand) -> bool:
        """True if the name of `a` always means it (or, for an array, some version of it)."""
        if isinstance(a, Literal) or a in self.indices:
            return True
        return bool(a.name) and len(self.roots[a.name]) == 1

    def is_size(self, a: Operand) -> bool:
        """True for a size that can be printed anywhere."""
        maker = self.makers.get(a) if isinstance(a, Value) else None
        return maker is not None and maker.op.name == "size" and self.is_fixed(maker.args[0])

    def is_cheap(self, instr: Instr) -> bool:
        """True for what people repeat rather than name."""
        if not all(isinstance(a, Literal) or a.name or self.is_size(a) for a in instr.args):
            return False
        if instr.op.name == "widen":  # prints as its operand
            return True
        if instr.op.name == "getitem":
            return not paths.is_fancy(instr.param("path"))
        return self.is_index(instr)

    def is_index(self, instr: Instr) -> bool:
        """True for the sum or difference of two ints."""
        t = instr.result.type
        return instr.op.name in _INDEX_OPS and t.dtype.kind == "i" and not t.ndim

    def anywhere(self, instr: Instr, home: Block, place: Block) -> bool:
        """True if a cheap instruction of block `home` can be printed in block `place` inside it. A read of
        an array is not moved into a loop, which would repeat it."""
        if not all(self.is_fixed(a) or self.is_size(a) for a in instr.args):
            return False
        if instr.op.name == "getitem" and self.storage.mask(instr.args[0]) & self.written:
            return False
        while place is not home:
            owner, place = self.owners[place]
            if owner.op.name != "if" and not self.is_index(instr):
                return False
        return True

    def _visit(self, block: Block) -> None:
        self._see(block.params)
        for instr in block.instrs:
            for arg, _ in written_args(instr):
                self.written |= self.storage.of.mask(instr.args[arg : arg + 1])
            for inner in instr.blocks:
                self.owners[inner] = instr, block
                self._visit(inner)
            if instr.op.name == "for":
                self.indices.add(instr.blocks[0].params[0])
            self._see(instr.results)
            for r in instr.results:
                self.makers[r] = instr

    def _see(self, values: tuple[Value, ...]) -> None:
        for v in values:
            root = self.lineage[v] if isinstance(v.type, Array) else v
            self.roots.setdefault(v.name, set()).add(root)
