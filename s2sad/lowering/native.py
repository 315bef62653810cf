"""What is said of a lowered function only to the compiler: sums in any order, SIMD functions.

The text that is shown has `total += x` and `np.exp(x)`; the text that is compiled calls an addition that
may be reordered and functions of which the vectoriser knows SIMD variants. `emit/numba_math.py` defines
both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from s2sad.ir.core import Function, Instr, Literal, Operand, Value
from s2sad.ir.op import Op
from s2sad.ir.types import Scalar
from s2sad.lowering.nests.reductions import running_sums
from s2sad.lowering.ops import in_any_order, vectorised
from s2sad.lowering.separate import separate
from s2sad.passes.dce import dce
from s2sad.passes.rewrite import Rewriter


def native(fn: Function) -> Function:
    """Return the function as it is compiled."""
    return dce(separate(_Native().of(fn)))


class _Native(Rewriter):
    def __init__(self) -> None:
        super().__init__()
        self.sums: set[Instr] = set()
        self.done: dict[Function, Function] = {}

    def of(self, fn: Function) -> Function:
        if fn not in self.done:
            self.done[fn] = self.function(fn)
        return self.done[fn]

    def visit(self, instr: Instr) -> Sequence[Instr]:
        if instr.op.name == "for":
            self.sums |= {i for adds in running_sums(instr).values() for i in adds}
        op = self.op(instr)
        new = self.inside(instr)
        if op is not None:
            new = replace(new, op=op)
        elif new.op.name == "call":
            callee = self.of(new.param("callee"))
            params = tuple((k, callee if k == "callee" else v) for k, v in new.params)
            new = replace(new, params=params)
        return (new,)

    def op(self, instr: Instr) -> Op | None:
        if instr in self.sums:
            return in_any_order(instr.op)
        if len(instr.results) != 1 or instr.params or not _all_floats((*instr.args, *instr.results)):
            return None
        return vectorised(instr.op)


def _all_floats(values: Sequence[Operand]) -> bool:
    """True for real numbers of floating point, of which one is not a literal."""
    return all(map(_is_float, values)) and any(isinstance(v, Value) for v in values)


def _is_float(v: Operand) -> bool:
    if isinstance(v, Literal):
        return isinstance(v.value, float)
    return isinstance(v.type, Scalar) and v.type.dtype.name in ("float64", "float32")
