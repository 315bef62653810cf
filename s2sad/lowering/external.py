"""Functions that are called but not read: compiled code calls back into Python."""

from __future__ import annotations

from s2sad.errors import UnsupportedOp
from s2sad.ir.core import Instr, Operand
from s2sad.ir.types import Array, Scalar
from s2sad.lowering.context import Lowerer
from s2sad.lowering.linalg import blas_operand
from s2sad.lowering.views import Lazy, whole


def lower_external(low: Lowerer, instr: Instr) -> None:
    """Lower a call of a function that is not read: it gets contiguous arrays."""
    slots = instr.param("slots")
    for kind, x in slots:
        if kind == "constant" and callable(x):
            why = f"compiled code cannot hand the function {x.__name__} to another one"
            raise UnsupportedOp("S292", why, "use jit=False", instr.origin)
    like, *operands = instr.args
    t = instr.result.type
    values: list[Operand] = []
    for a in operands:
        is_array = isinstance(a.type, Array)
        values.append(blas_operand(low, low.rep(a), a.type.dtype) if is_array else low.scalar(a))
    dims = low.dims(low.rep(like)) if isinstance(t, Array) else ()
    made = t if dims else Scalar(t.dtype, isinstance(t, Scalar) and t.weak)
    kinds = tuple(
        str(a.type.dtype) if isinstance(a.type, Scalar) and not a.type.weak else "" for a in operands
    )
    params = {"function": instr.param("function"), "slots": slots, "type": made, "kinds": kinds}
    found = low.code.op("called_outside", *dims, *values, **params)
    if isinstance(t, Array) and not dims:
        low.define(instr.result, low.fill(Lazy(t, (), lambda index: found)))
    elif isinstance(t, Array):
        low.dense.add(found)
        low.define(instr.result, whole(found))
    else:
        low.define_scalar(instr.result, found)


TABLE = {"external": lower_external}
