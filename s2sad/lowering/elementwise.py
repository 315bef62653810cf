"""Elementwise ops: one nest over the broadcast of the operands, or no nest where the reader has one."""

from __future__ import annotations

from collections.abc import Callable

from s2sad.ir import path as paths
from s2sad.ir.core import Instr, Literal, Operand, Value
from s2sad.ir.op import Kind, Op
from s2sad.ir.types import BOOL, C16, F8, Array, Scalar
from s2sad.lowering.code import ZERO
from s2sad.lowering.context import Lowerer
from s2sad.lowering.ops import conversion
from s2sad.lowering.scalars import check_division, check_real, convert, element, real_for
from s2sad.lowering.views import Index, Lazy, Rep, Strided

# names that are elementwise though their Op says nondiff or linear
NAMES = {
    "floor_divide", "sign", "floor", "ceil", "trunc", "rint", "round", "heaviside",
    "less", "less_equal", "greater", "greater_equal", "equal", "not_equal",
    "logical_and", "logical_or", "logical_xor", "logical_not", "isnan", "isfinite", "isinf", "signbit",
    "bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift", "where", "where0",
    "real", "imag", "conjugate", "phase", "special_gammasgn", "spacing", "gcd", "lcm",
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

    def of(args: tuple[Operand, ...]) -> Operand:
        around, low.code.origin = low.code.origin, instr.origin  # this runs where the element is read
        found = element(low.code, instr.op, args, dtype, params, instr.args)
        low.code.origin = around
        return found

    low.define(result, combine(low, reps, result.type, of, instr.args))


def scalar_result(low: Lowerer, instr: Instr, args: tuple[Operand, ...]) -> Operand:
    """Return the lowered scalar result of an elementwise op."""
    code = low.code
    if instr.op.name == "greater" and args[1] == ZERO:
        low.positive[instr.result] = args[0]
    if isinstance(instr.result.type, Scalar) and instr.result.type.dtype.kind in "iu":
        if instr.op.name == "where" and args[2] == ZERO and low.positive.get(instr.args[0]) == args[1]:
            return low.code.maximum(args[1], ZERO)
        folded = _integer(low, instr.op.name, args)
        if folded is not None:
            return folded
    if instr.result in low.divisions:
        check_division(code, instr.op.name, args, instr.args)
    return element(code, instr.op, args, instr.result.type.dtype, dict(instr.params), instr.args)


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


def combine(
    low: Lowerer,
    reps: list[Rep],
    t: Array,
    of: Callable[[tuple[Operand, ...]], Operand],
    operands: tuple[Operand, ...] = (),
) -> Lazy:
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
        a = low.scalar(instr.args[0])
        if dtype.kind in "iuf":
            check_real(low.code, a)
            a = real_for(low.code, a, dtype)
        # a number beside arrays of single precision: as a literal it would give way to them
        stays = isinstance(a, Literal) and dtype.kind in "fc"
        number = low.code.op(conversion(dtype), a) if stays else convert(low.code, a, dtype)
        low.define_scalar(instr.result, number)
        return
    rep = low.rep(instr.args[0])

    def read(index: Index) -> Operand:
        return convert(low.code, real_for(low.code, low.read(rep, index), dtype), dtype)

    low.define(instr.result, Lazy(instr.result.type, low.dims(rep), read, *reads_of([rep])))


def lower_copy(low: Lowerer, instr: Instr) -> None:
    """Lower a copy: an array of its own."""
    if isinstance(instr.result.type, Scalar):
        low.define_scalar(instr.result, low.scalar(instr.args[0]))
        return
    low.define(instr.result, low.fill(low.rep(instr.args[0]), instr.result.name))


def lower_same(low: Lowerer, instr: Instr) -> None:
    """Lower what is its argument itself."""
    (x,) = instr.args
    if isinstance(instr.result.type, Scalar):
        low.define_scalar(instr.result, low.scalar(x))
    else:
        low.define(instr.result, low.rep(x))


def lower_item0(low: Lowerer, instr: Instr) -> None:
    """Lower the element of an array of rank 0."""
    low.define_scalar(instr.result, low.scalar(instr.args[0]))


def lower_widen(low: Lowerer, instr: Instr) -> None:
    """Lower a scalar as the wider type of a join."""
    low.define_scalar(instr.result, low.code.coerce(low.scalar(instr.args[0]), instr.param("type")))


def lower_isclose(low: Lowerer, instr: Instr) -> None:
    """Lower `abs(a - b) <= atol + rtol * abs(b)`, equal infinities, and nans if asked for."""
    result = instr.result
    nan = bool(instr.param("equal_nan", False))
    if isinstance(result.type, Scalar):
        low.define_scalar(result, _close(low, tuple(low.scalar(a) for a in instr.args), nan))
        return
    reps = [low.buffer(low.rep(a)) if a.type.ndim else low.rep(a) for a in instr.args]
    low.define(result, combine(low, reps, result.type, lambda args: _close(low, args, nan), instr.args))


def _close(low: Lowerer, args: tuple[Operand, ...], nan: bool) -> Operand:
    code = low.code
    is_complex = any(x.type.dtype.kind == "c" for x in args[:2])
    a, b = (convert(code, x, C16 if is_complex else F8) for x in args[:2])
    gap = code.op("absolute", code.op("subtract", a, b))
    limit = code.op("add", args[3], code.op("multiply", args[2], code.op("absolute", b)))
    near = code.op("both", code.op("less_equal", gap, limit), code.op("isfinite", b))
    near = code.op("either", near, code.op("equal", a, b))
    if nan:
        near = code.op("either", near, code.op("both", code.op("isnan", a), code.op("isnan", b)))
    return near


def lower_all_close(low: Lowerer, instr: Instr) -> None:
    """Lower allclose and array_equal: whether a comparison holds everywhere."""
    code = low.code
    nan = bool(instr.param("equal_nan", False))
    reps = [low.buffer(low.rep(a)) if a.type.ndim else low.rep(a) for a in instr.args]
    is_exact = instr.op.name == "array_equal"
    t = Array(BOOL, paths.broadcast([r.type.shape for r in reps], code.sizes.fresh))

    def compare(args: tuple[Operand, ...]) -> Operand:
        if not is_exact:
            return _close(low, args, nan)
        equal: Operand = code.op("equal", *args)
        if nan:
            equal = code.op("either", equal, code.op("both", *(code.op("isnan", a) for a in args)))
        return equal

    def everywhere() -> tuple[Operand, ...]:
        rep = combine(low, reps, t, compare, instr.args)
        start = code.coerce(Literal(True), Scalar(BOOL))
        return code.nest(
            low.dims(rep), (start,), lambda i, s: (code.op("logical_and", s[0], low.read(rep, i)),)
        )

    differ = _different_shapes(low, reps) if is_exact else None
    if differ is None:
        (found,) = everywhere()
    else:
        no = Literal(False)
        (found,) = code.branch(differ, lambda: (code.coerce(no, Scalar(BOOL)),), everywhere)
    low.define_scalar(instr.result, code.coerce(found, instr.result.type))


def _different_shapes(low: Lowerer, reps: list[Rep]) -> Operand | None:
    a, b = reps
    if a.type.ndim != b.type.ndim:
        return Literal(True)
    differ: Operand | None = None
    for k, (n, m) in enumerate(zip(a.type.shape, b.type.shape, strict=True)):
        if n != m:
            one = low.code.differ(low.dim(a, k), low.dim(b, k))
            differ = one if differ is None else low.code.op("either", differ, one)
    return differ


TABLE = {
    "cast": lower_cast,
    "copy": lower_copy,
    "item0": lower_item0,
    "stop_gradient": lower_same,
    "widen": lower_widen,
    "isclose": lower_isclose,
    "allclose": lower_all_close,
    "array_equal": lower_all_close,
}
