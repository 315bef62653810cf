"""Sparse matrices in compiled code: a tuple of data, indices, row ends and the number of columns."""

from __future__ import annotations

from s2sad.errors import UnsupportedOp
from s2sad.ir.core import Instr, Literal, Operand, Value
from s2sad.ir.size import Size
from s2sad.ir.types import Array
from s2sad.lowering.context import Lowerer
from s2sad.lowering.facts import SPARSE_SIZES
from s2sad.lowering.ops import LOWERED
from s2sad.lowering.scalars import convert
from s2sad.lowering.views import Index, Lazy, whole


def _matrix(low: Lowerer, instr: Instr) -> tuple[Value, bool]:
    """The parameter that a sparse matrix is, and whether it is its transpose."""
    a = instr.args[0]
    assert isinstance(a, Value)
    if a in low.turned:
        return low.turned[a]
    found = low.scalar(a)
    if found != a or not isinstance(found, Value):
        raise not_a_parameter(instr)
    return found, False


def not_a_parameter(instr: Instr) -> UnsupportedOp:
    """Return the error for a sparse matrix that branches or loops choose, or that is computed."""
    why = "compiled code needs sparse matrices that are parameters"
    return UnsupportedOp("S292", why, "use jit=False", instr.origin)


def lower_transpose(low: Lowerer, instr: Instr) -> None:
    """Note that a sparse matrix is the transpose of another."""
    a, turned = _matrix(low, instr)
    low.turned[instr.result] = (a, not turned)


def lower_size(low: Lowerer, instr: Instr) -> None:
    """Lower the number of rows or columns."""
    a, turned = _matrix(low, instr)
    low.define_scalar(instr.result, _size(low, a, instr.param("axis") ^ turned))


def _size(low: Lowerer, a: Value, axis: int) -> Operand:
    return _emit(low, SPARSE_SIZES[axis], a)


def _emit(low: Lowerer, name: str, *args: Operand) -> Value:
    builder = low.code.scopes[-1].builder
    builder.origin, builder.role = low.code.origin, low.code.role
    return builder.emit(LOWERED[name], *args)


def lower_product(low: Lowerer, instr: Instr) -> None:
    """Lower a sparse matrix times a vector or a dense matrix."""
    code, t = low.code, instr.result.type
    assert isinstance(t, Array)
    a, turned = _matrix(low, instr)
    x = low.rep(instr.args[1])
    dims = low.dims(x)
    differ = code.differ(_size(low, a, 0 if turned else 1), dims[0])
    code.fail_if(differ, ValueError, "dimension mismatch")
    source = low.buffer(x)
    columns = dims[1:] or (Literal(1),)

    def element(index: Index) -> Operand:
        return convert(code, low.read(source, index[: x.type.ndim]), t.dtype)

    shape = (*x.type.shape, *(() if x.type.ndim == 2 else (Size.of(1),)))
    dense = low.fill(Lazy(Array(t.dtype, shape), (dims[0], *columns), element))
    found = _emit(low, "sparse_times", a, dense.base, Literal(turned))
    low.roots[found] = frozenset({found})
    rows = low.number(t.shape[0], _size(low, a, 1 if turned else 0))
    flat = Lazy(
        t,
        (rows, *dims[1:]),
        lambda index: low.read_base(found, index if t.ndim == 2 else (*index, Literal(0))),
    )
    low.define(instr.result, low.fill(flat, instr.result.name) if t.ndim == 1 else whole(found))


def refuse(low: Lowerer, instr: Instr) -> None:
    """Refuse what only SciPy does."""
    why = f"{instr.op.doc} cannot be compiled"
    raise UnsupportedOp("S292", why, "use jit=False", instr.origin)


TABLE = {
    "sparse_size": lower_size,
    "sparse_transpose": lower_transpose,
    "sparse_product": lower_product,
    "sparse_solve": refuse,
    "sparse_dense": refuse,
    "sparse_diagonal": refuse,
}
