"""Elementwise ops: one nest over the broadcast of the operands, or no nest where the reader has one."""

from __future__ import annotations

from s2sad.ir.core import Instr, Literal, Operand, Value
from s2sad.ir.op import Kind, Op
from s2sad.ir.types import Array, Scalar
from s2sad.lowering.context import Lowerer
from s2sad.lowering.scalars import convert, element, select
from s2sad.lowering.views import Index, Lazy, Rep, Strided

# names that are elementwise though their Op says nondiff or linear
NAMES = {
    "floor_divide", "sign", "floor", "ceil", "trunc", "rint", "round", "heaviside",
    "less", "less_equal", "greater", "greater_equal", "equal", "not_equal",
    "logical_and", "logical_or", "logical_xor", "logical_not", "isnan", "isfinite", "isinf", "signbit",
    "bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift", "where",
    "real", "imag", "conjugate",
}  # fmt: skip


def is_elementwise(op: Op) -> bool:
    """True for ops that `lower_elementwise` takes."""
    return op.kind is Kind.ELEMENTWISE or op.name in NAMES


def lower_elementwise(low: Lowerer, instr: Instr) -> None:
    """Lower an op that works element by element."""
    result = instr.result
    params = dict(instr.params)
    if isinstance(result.type, Scalar):
        args = tuple(low.scalar(a) for a in instr.args)
        low.define_scalar(result, scalar_result(low, instr, args))
        return
    reps = [low.rep(a) for a in instr.args]
    dtype = result.type.dtype
    rep = combine(low, reps, result.type, lambda args: element(low.code, instr.op, args, dtype, params), instr.args)
    low.define(result, rep)


def scalar_result(low: Lowerer, instr: Instr, args: tuple[Operand, ...]) -> Operand:
    """Return the lowered scalar result of an elementwise op."""
    code = low.code
    if isinstance(instr.result.type, Scalar) and instr.result.type.dtype.kind in "iu":
        folded = _integer(low, instr.op.name, args)
        if folded is not None:
            return folded
    return element(code, instr.op, args, instr.result.type.dtype, dict(instr.params))


def _integer(low: Lowerer, name: str, args: tuple[Operand, ...]) -> Operand | None:
    # Python ints: arithmetic that keeps the bounds by which index checks are dropped
    if not all(isinstance(a.type, Scalar) and a.type.weak and a.type.dtype.kind == "i" for a in args):
        return None
    match name:
        case "add":
            return low.code.add(*args)
        case "subtract":
            return low.code.sub(*args)
        case "multiply":
            return low.code.mul(*args)
    return None


def combine(low: Lowerer, reps: list[Rep], t: Array, of, operands: tuple[Operand, ...] = ()) -> Lazy:
    """Return the lazy array whose elements are `of` the operands' elements, broadcast together."""
    dims = low.meet(reps, t.shape)
    fitted: list[Rep] = []
    for k, rep in enumerate(reps):
        literal = operands and isinstance(operands[k], Literal)
        fitted.append(rep if literal else low.fit(rep, dims, t.shape))

    def read(index: Index) -> Operand:
        args: list[Operand] = []
        for k, rep in enumerate(fitted):
            literal = operands[k] if operands else None
            args.append(literal if isinstance(literal, Literal) else low.read(rep, index))
        return of(tuple(args))

    return Lazy(t, dims, read, *reads_of(fitted))


def reads_of(reps: list[Rep]) -> tuple[tuple[Strided, ...], tuple[Value, ...]]:
    """Return the views that arrays of one index space read, and the buffers they read elsewhere."""
    reads: list[Strided] = []
    elsewhere: list[Value] = []
    for rep in reps:
        if isinstance(rep, Strided):
            reads.append(rep)
        else:
            reads += rep.reads
            elsewhere += rep.elsewhere
    return tuple(reads), tuple(elsewhere)


def lower_cast(low: Lowerer, instr: Instr) -> None:
    """Lower `x.astype(dtype)`: always fresh memory."""
    dtype = instr.result.type.dtype
    if isinstance(instr.result.type, Scalar):
        low.define_scalar(instr.result, convert(low.code, _real(low, low.scalar(instr.args[0]), dtype), dtype))
        return
    rep = low.rep(instr.args[0])

    def read(index: Index) -> Operand:
        return convert(low.code, _real(low, low.read(rep, index), dtype), dtype)

    low.define(instr.result, Lazy(instr.result.type, low.dims(rep), read, *reads_of([rep])))


def _real(low: Lowerer, a: Operand, dtype) -> Operand:
    # complex to real drops the imaginary part, as NumPy does (with a warning)
    if a.type.dtype.kind == "c" and dtype.kind in "fiu":
        return low.code.op("real", a)
    return a


def lower_copy(low: Lowerer, instr: Instr) -> None:
    """Lower a copy: an array of its own."""
    if isinstance(instr.result.type, Scalar):
        low.define_scalar(instr.result, low.scalar(instr.args[0]))
        return
    low.define(instr.result, low.fill(low.rep(instr.args[0]), instr.result.name))


TABLE = {"cast": lower_cast, "copy": lower_copy}

__all__ = ["TABLE", "combine", "is_elementwise", "lower_elementwise", "reads_of", "select"]
