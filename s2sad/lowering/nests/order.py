"""In which order loops run, and what they leave as it was."""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.ir.core import Block, Instr, Literal, Operand, Value
from s2sad.ir.loops import LOOPS, carried, inits, loop_ends
from s2sad.ir.types import Array, Scalar
from s2sad.lowering.nests.affine import Forms, Linear

ONE = Linear(frozenset(), 1)
NOTHING = Linear(frozenset(), 0)
UP, DOWN = Literal(1), Literal(-1)


class Orders:
    """What is known of the ranges of loops."""

    def __init__(self, forms: Forms) -> None:
        self.forms = forms

    def span(self, loop: Instr) -> tuple[Linear, Linear] | None:
        """Return the trips of a loop as a range that runs upwards by 1."""
        lo, hi = (self.forms.of(a) for a in loop.args[:2])
        if loop.args[2] == UP:
            return lo, hi
        return (hi + ONE, lo + ONE) if loop.args[2] == DOWN else None

    def same_trips(self, a: Instr, b: Instr) -> bool:
        """True if two loops run over the same indices, in whatever order."""
        spans = self.span(a), self.span(b)
        return spans[0] is not None and spans[0] == spans[1]

    def is_cursor(self, loop: Instr, k: int) -> bool:
        """True if slot k of a loop is the cursor of a tape: an int that only the tape's own steps change."""
        return self._steps(loop, k, set())

    def _steps(self, loop: Instr, k: int, seen: set[Value]) -> bool:
        p = carried(loop)[k]
        t = p.type
        if not isinstance(t, Scalar) or t.dtype.kind != "i":
            return False
        if p in seen:
            return True
        seen |= {b.params[-len(loop.results) :][k] for b in loop.blocks}
        return all(self._is_step(end.args[k], seen) for end in loop_ends(loop.blocks[-1]))

    def _is_step(self, a: Operand, seen: set[Value]) -> bool:
        if a in seen:
            return True
        instr = self.forms.maker.get(a) if isinstance(a, Value) else None
        if instr is None:
            return False
        if instr.op.name in ("add", "subtract"):
            return instr.role == "tape" and self._is_step(instr.args[0], seen)
        if instr.op.name == "widen":
            return self._is_step(instr.args[0], seen)
        if not instr.blocks:
            return False
        k = instr.results.index(a)
        if instr.op.name == "if":
            ends = [b.end for b in instr.blocks if b.end.kind == "yield"]
            return all(self._is_step(end.args[k], seen) for end in ends)
        return self._is_step(inits(instr)[k], seen) and self._steps(instr, k, seen)

    def ends_with_zeros(
        self, block: Block, array: Value, sizes: Sequence[Linear], indices: dict[Value, tuple[Linear, Linear]]
    ) -> bool:
        """True if the last thing that a block does with an array is to write 0 to each of its elements. In
        loops that do so (over `indices`), a trip writes to no other one: that might have its zero already."""
        if block.end.kind != "yield" or any(map(leaves, block.instrs)):
            return False  # a trip may end before it gets there
        touching, versions = _touching(block, array)
        if not touching or any(i.op.name == "if" or _is_view(i) for i in touching):
            return False
        last = touching[-1]
        written = [i for i in touching if i.op.name != "getitem"]
        if indices and any(i is not last and i.args[2:] != last.args[2:] for i in written):
            return False
        if last.op.name == "for":
            span = self.span(last)
            k = next((k for k, a in enumerate(inits(last)) if a in versions), None)
            if span is None or k is None:
                return False
            inside = indices | {last.blocks[0].params[0]: span}
            return self.ends_with_zeros(last.blocks[0], carried(last)[k], sizes, inside)
        if last.op.name != "setitem" or last.args[1] != Literal(0.0):
            return False
        index = [a for a in last.args[2:] if isinstance(a, Value)]
        if len(index) != len(sizes) or len(set(index)) != len(index) or set(index) != set(indices):
            return False
        return all(indices[i] == (NOTHING, n) for i, n in zip(index, sizes, strict=True))


def _touching(block: Block, array: Value) -> tuple[list[Instr], set[Value]]:
    """Return the instructions of a block that read or write an array, and its versions."""
    versions = {array}
    found: list[Instr] = []
    for instr in block.instrs:
        inside = (i for b in instr.blocks for i in b.walk())
        if instr.op.name == "size" or not any(a in versions for i in (instr, *inside) for a in i.args):
            continue
        found.append(instr)
        if instr.op.name in ("setitem", "accum"):
            versions.add(instr.result)
        elif instr.op.name in LOOPS:
            versions.update(r for a, r in zip(inits(instr), instr.results, strict=True) if a in versions)
    return found, versions


def _is_view(instr: Instr) -> bool:
    return instr.op.name == "getitem" and isinstance(instr.result.type, Array)


def leaves(instr: Instr) -> bool:
    """True if control may leave the block around an `if` by it."""
    if instr.op.name != "if":
        return False
    ends = ("yield", "raise")
    return any(b.end.kind not in ends or any(map(leaves, b.instrs)) for b in instr.blocks)
