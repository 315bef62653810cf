"""In which order loops run, and what they leave as it was."""

from __future__ import annotations

from s2sad.ir.core import Instr, Literal, Operand, Value
from s2sad.ir.loops import carried, inits, loop_ends
from s2sad.ir.types import Scalar
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


def leaves(instr: Instr) -> bool:
    """True if control may leave the block around an `if` by it."""
    if instr.op.name != "if":
        return False
    ends = ("yield", "raise")
    return any(b.end.kind not in ends or any(map(leaves, b.instrs)) for b in instr.blocks)
