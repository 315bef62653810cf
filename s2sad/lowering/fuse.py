"""Which arrays need no memory of their own: read once, in the same block, element by element, with no
write in between to what they are computed from."""

from __future__ import annotations

from collections.abc import Mapping

from s2sad.ir.core import Block, Instr, Operand, Value
from s2sad.ir.path import is_fancy
from s2sad.ir.types import Array
from s2sad.lowering.elementwise import is_elementwise
from s2sad.lowering.overlap import Roots, Storage

MAKERS = {"cast", "zeros_like", "ones_like", "zeros", "ones", "full", "full_like", "eye", "arange",
          "linspace", "count_like", "outer"}  # fmt: skip
READERS = {"cast", "sum", "mean", "prod", "max", "min", "any", "all", "count_nonzero", "setitem", "accum"}


def fusible_values(block: Block, storage: Storage) -> set[Value]:
    """Return the array values that may be computed where they are read."""
    return _Finder(storage, block.counts).visit(block)


class _Finder:
    def __init__(self, storage: Storage, counts: Mapping[Value, int]):
        self.storage = storage
        self.counts = counts

    def visit(self, block: Block) -> set[Value]:
        found: set[Value] = set()
        reader = {a: k for k, i in enumerate(block.instrs) for a in i.args if isinstance(a, Value)}
        sources: dict[Value, Roots] = {}
        for k, instr in enumerate(block.instrs):
            for inner in instr.blocks:
                found |= self.visit(inner)
            if not self._can_make(instr):
                continue
            (value,) = instr.results
            roots = frozenset().union(*(self._sources(a, sources) for a in instr.args))
            last = reader.get(value)
            if self.counts.get(value) != 1 or last is None or not _reads_once(block.instrs[last], value):
                continue
            if not any(self._writes(i, roots) for i in block.instrs[k + 1 : last]):
                sources[value] = roots
                found.add(value)
        return found

    def _sources(self, a: Operand, sources: dict[Value, Roots]) -> Roots:
        if not isinstance(a, Value) or not isinstance(a.type, Array):
            return frozenset()
        return sources[a] if a in sources else self.storage.roots(a)

    def _can_make(self, instr: Instr) -> bool:
        if len(instr.results) != 1 or not isinstance(instr.result.type, Array):
            return False
        if instr.op.name == "getitem":
            return is_fancy(instr.param("path"))
        return instr.op.name in MAKERS or is_elementwise(instr.op)

    def _writes(self, instr: Instr, roots: Roots) -> bool:
        if instr.op.name in ("setitem", "accum"):
            target = instr.args[0]
            return isinstance(target, Value) and self.storage.may_alias(self.storage.roots(target), roots)
        return bool(instr.blocks) or instr.op.name == "call"


def _reads_once(instr: Instr, value: Value) -> bool:
    if instr.op.name in ("setitem", "accum"):
        return instr.args[1] is value and instr.args.count(value) == 1
    if instr.op.name in READERS:
        return True
    if not is_elementwise(instr.op):
        return False
    t = instr.result.type
    return isinstance(t, Array) and value.type.shape == t.shape
