"""Numbers that print as Python numbers, where that would change a dtype.

`widen` says that a Python number stands for a NumPy scalar; beside arrays it gives way to their dtype, and
so it prints as itself. An array made of nothing but such numbers would be of double precision:
`np.broadcast_to(1.0, n)`. There the number is converted; and so is one that meets nothing but arrays and
numbers of lower precision.
"""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.ir.builder import Builder, Sizes
from s2sad.ir.core import Block, Function, Instr, Literal, Operand, Value
from s2sad.ir.loops import LOOPS, carried, inits, loop_ends
from s2sad.ir.op import Kind
from s2sad.ir.types import Array, Scalar, Type
from s2sad.ops.table import OPS
from s2sad.passes.rewrite import Rewriter
from s2sad.record import replace

PRECISION = {"e": 0, "f": 1, "F": 1, "d": 2, "D": 2}  # characters of dtypes
DOUBLE = 2


def typed(fn: Function) -> Function:
    """Return the function with numbers of the precision that their types say, where that matters."""
    soft = _soft(fn.block)
    return _Typed(soft).function(fn) if soft else fn


def _has_precision(t: Type) -> bool:
    return isinstance(t, Scalar) and not t.weak and t.dtype.char in PRECISION


def _soft(block: Block) -> set[Value]:
    """The NumPy scalars that may be Python numbers in the text."""
    soft: set[Value] = set()
    before = -1
    while before != len(soft):
        before = len(soft)
        for instr in block.walk():
            _see(instr, soft)
    return soft


def _see(instr: Instr, soft: set[Value]) -> None:
    def join(targets: Sequence[Value], sources: Sequence[Operand]) -> None:
        for target, source in zip(targets, sources, strict=True):
            if _has_precision(target.type) and (isinstance(source, Literal) or source in soft):
                soft.add(target)

    if instr.op.name == "if":
        for block in instr.blocks:
            if block.end.kind == "yield":
                join(instr.results, block.end.args)
    elif instr.op.name in LOOPS:
        slots = carried(instr)
        join(slots, inits(instr))
        for end in loop_ends(instr.blocks[-1]):
            join(slots, end.args)
            join(instr.results, end.args)
        join(instr.results, slots)
        join(instr.results, inits(instr))
    elif len(instr.results) == 1 and _has_precision(instr.result.type) and instr.op.name != "cast":
        soft |= {instr.result} if all(_is_weak(a) or a in soft for a in instr.args) else set()


def _is_weak(a: Operand) -> bool:
    return isinstance(a, Literal) or (isinstance(a.type, Scalar) and a.type.weak)


class _Typed(Rewriter):
    def __init__(self, soft: set[Value]):
        super().__init__()
        self.soft = soft

    def visit(self, instr: Instr) -> list[Instr]:
        met, is_made = self.precision_of_others(instr), _makes_array(instr)
        given = [a in self.soft and _gives_way(a, met, is_made) for a in instr.args]
        if not any(given):
            return [self.inside(instr)]
        made = Builder(Sizes(), instr.origin)
        made.role = instr.role
        args = tuple(
            made.emit(OPS["cast"], a, dtype=a.type.dtype) if is_given else a
            for a, is_given in zip(instr.args, given, strict=True)
        )
        return [*made.instrs, replace(instr, args=args)]

    def precision_of_others(self, instr: Instr) -> int:
        """Return the precision to which a Python number would give way."""
        if instr.op.kind is not Kind.ELEMENTWISE and instr.op.name != "where":
            return DOUBLE
        others = [a.type.dtype for a in instr.args if not (_is_weak(a) or a in self.soft)]
        return max((PRECISION.get(d.char, DOUBLE) for d in others if d.kind in "fc"), default=DOUBLE)


def _gives_way(a: Operand, met: int, is_made: bool) -> bool:
    """True if `a` as a Python number would not keep its precision."""
    precision = PRECISION[a.type.dtype.char]
    return precision > met or (is_made and precision < DOUBLE)


def _makes_array(instr: Instr) -> bool:
    """True if nothing but numbers decides on the dtype of an array."""
    if instr.blocks or instr.op.name == "call" or not any(isinstance(r.type, Array) for r in instr.results):
        return False
    return not any(
        isinstance(a.type, Array) and a.type.dtype.kind in "fc" and k not in instr.op.shape_args
        for k, a in enumerate(instr.args)
    )
