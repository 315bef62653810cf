"""What is said of a lowered function only to the compiler: sums in any order, differences of rounded
products, SIMD functions, indices that are not negative.

The text that is shown has `total += x[i - 1]` and `np.exp(x)`; the text that is compiled calls an addition
that may be reordered and functions of which the vectoriser knows SIMD variants, and says of `i - 1` that no
wrap-around need be thought of. Where one product is subtracted from another it calls a subtraction that is
never fused with a multiplication: else `a * b - b * a` is not zero, and the root of `x * x - y * y` is nan
where x is y. `emit/numba_math.py` defines what it calls.
"""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.ir.core import Function, Instr, Literal, Operand, Value
from s2sad.ir.op import Op
from s2sad.ir.types import Array, Scalar
from s2sad.lowering.nests.reductions import running_sums
from s2sad.lowering.ops import AS_INDEX, in_any_order, of_rounded, vectorised
from s2sad.lowering.separate import separate
from s2sad.lowering.unwrap import unwrapped
from s2sad.passes.dce import dce
from s2sad.passes.rewrite import Rewriter
from s2sad.record import replace

FIRST_INDEX = {"getitem": 1, "setitem": 2, "accum": 2}


def native(fn: Function) -> Function:
    """Return the function as it is compiled."""
    return dce(separate(_Native().of(fn)))


class _Native(Rewriter):
    def __init__(self) -> None:
        super().__init__()
        self.sums: set[Instr] = set()
        self.done: dict[Function, Function] = {}
        self.counting: set[Operand] = set()  # indices that LLVM itself sees are not negative
        self.products: set[Operand] = set()
        self.negative: set[Operand] = set()  # products with the other sign

    def of(self, fn: Function) -> Function:
        if fn not in self.done:
            self.done[fn] = self.function(unwrapped(fn))
        return self.done[fn]

    def visit(self, instr: Instr) -> Sequence[Instr]:
        if instr.op.name == "for":
            self.sums |= {i for adds in running_sums(instr).values() for i in adds}
            if instr.args[2] == Literal(1) and _is_natural(instr.args[0]):
                self.counting.add(instr.blocks[0].params[0])
        elif instr.op.name == "add" and instr.args[0] in self.counting and _is_natural(instr.args[1]):
            self.counting.add(instr.result)
        elif instr.op.name == "multiply" or (instr.op.name == "power" and isinstance(instr.args[1], Literal)):
            self.products.add(instr.result)
        elif instr.op.name == "negative" and instr.args[0] in self.products:
            self.negative.add(instr.result)
        op = self.op(instr)
        new = self.inside(instr)
        first = FIRST_INDEX.get(instr.op.name)
        is_view = instr.op.name == "getitem" and isinstance(instr.result.type, Array)
        if first is not None and not is_view:
            return self.indexed(new, first)
        if op is not None:
            new = replace(new, op=op)
        elif new.op.name == "call":
            callee = self.of(new.param("callee"))
            params = tuple((k, callee if k == "callee" else v) for k, v in new.params)
            new = replace(new, params=params)
        return (new,)

    def indexed(self, instr: Instr, first: int) -> Sequence[Instr]:
        """Return a read or write of an element with its indices marked."""
        made: list[Instr] = []
        args = list(instr.args)
        for k in range(first, len(args)):
            a = args[k]
            if isinstance(a, Value) and isinstance(a.type, Scalar) and a not in self.counting:
                marked = Value("", a.type)
                made.append(Instr(AS_INDEX, (a,), (marked,), (), (), instr.origin, instr.role))
                args[k] = marked
        return (*made, replace(instr, args=tuple(args)))

    def op(self, instr: Instr) -> Op | None:
        if instr in self.sums:
            return in_any_order(instr.op)
        if len(instr.results) != 1 or instr.params or not _all_floats((*instr.args, *instr.results)):
            return None
        dtype = instr.result.type.dtype
        if any(isinstance(a, Value) and a.type.dtype != dtype for a in instr.args):
            return None  # math.exp of a float32 is a Python float
        if self.cancels(instr):
            return of_rounded(instr.op)
        return vectorised(instr.op)

    def cancels(self, instr: Instr) -> bool:
        """True for the difference of two products."""
        if instr.op.name == "subtract":
            return all(a in self.products for a in instr.args)
        signs = [a in self.negative for a in instr.args]
        others = [a in self.products for a in instr.args]
        return instr.op.name == "add" and any(signs) and any(others)


def _is_natural(a: Operand) -> bool:
    return isinstance(a, Literal) and isinstance(a.value, int) and a.value >= 0


def _all_floats(values: Sequence[Operand]) -> bool:
    """True for real numbers of floating point, of which one is not a literal."""
    return all(map(_is_float, values)) and any(isinstance(v, Value) for v in values)


def _is_float(v: Operand) -> bool:
    if isinstance(v, Literal):
        return isinstance(v.value, float)
    return isinstance(v.type, Scalar) and v.type.dtype.char in "fd"
