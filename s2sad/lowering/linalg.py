"""Products: BLAS calls on contiguous operands for matrices of floats, scalar loops for the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from s2sad.ir.core import Instr, Literal, Operand, Value
from s2sad.ir.path import Permute
from s2sad.ir.size import Size
from s2sad.ir.types import Array, Dtype, Scalar
from s2sad.lowering.code import ONE, ZERO
from s2sad.lowering.context import Lowerer
from s2sad.lowering.create import reshape_buffer
from s2sad.lowering.reduce import accumulator
from s2sad.lowering.scalars import convert, promote
from s2sad.lowering.views import Index, Lazy, Rep, Strided, whole

MISMATCH = "matmul: Input operand 1 has a mismatch in its core dimension 0"


def has_blas(dtype: Dtype) -> bool:
    """True if BLAS has products of this dtype."""
    return dtype.name in ("float32", "float64", "complex64", "complex128")


def blas_operand(low: Lowerer, rep: Rep, dtype: Dtype) -> Value:
    """Return the elements as a contiguous array (C order, or the transpose of one) of `dtype`."""
    if rep.type.dtype != dtype:
        source = rep
        t = Array(dtype, rep.type.shape)
        rep = Lazy(t, low.dims(rep), lambda index: convert(low.code, low.read(source, index), dtype))
    if isinstance(rep, Lazy) or (not rep.whole and rep.view is None):
        return low.fill(rep).base
    if rep.view is not None:
        parent, path, _ = rep.view
        if parent.whole and path == (Permute((1, 0)),):
            return low.code.op("getitem", blas_operand(low, parent, dtype), path=path)
    base = low.materialize(rep)
    if rep.whole and base in low.dense:
        return base
    return low.code.op("contiguous", base)


def same_length(low: Lowerer, a: Rep, i: int, b: Rep, j: int, message: str) -> None:
    """Append a check that two dimensions are equal, unless they are known to be."""
    if not low.agree(a, i, b, j):
        differ = low.code.differ(low.dim(a, i), low.dim(b, j))
        low.code.fail_if(differ, ValueError, message)


def lower_matmul(low: Lowerer, instr: Instr) -> None:
    """Lower `a @ b` in all rank combinations."""
    a, b = (low.rep(x) for x in instr.args)
    t = instr.result.type
    same_length(low, a, a.type.ndim - 1, b, max(b.type.ndim - 2, 0), MISMATCH)
    if has_blas(t.dtype) and a.type.ndim <= 2 and b.type.ndim <= 2:
        _define(
            low, instr, blas_product(low, blas_operand(low, a, t.dtype), blas_operand(low, b, t.dtype), t)
        )
    elif has_blas(t.dtype) and b.type.ndim <= 2 and isinstance(t, Array):
        _define(low, instr, _flat_dot(low, a, b, t, instr.result.name))
    else:
        _loops(low, instr, low.buffer(a), low.buffer(b))


def _define(low: Lowerer, instr: Instr, found: Value) -> None:
    if isinstance(instr.result.type, Scalar):
        low.define_scalar(instr.result, found)
    else:
        low.define(instr.result, whole(found))


def blas_product(low: Lowerer, a: Value, b: Value, t: Array | Scalar, hint: str = "") -> Value:
    """Append the BLAS product of two contiguous arrays of rank 1 or 2."""
    found = low.code.op("blas_dot", a, b, hint=hint)
    if isinstance(t, Array):
        found = low.retype(found, Array(t.dtype, t.shape))
        low.dense.add(found)
    return found


def _flat_dot(low: Lowerer, a: Rep, b: Rep, t: Array, hint: str) -> Value:
    """A stack of matrices times one matrix: one product of all rows."""
    code = low.code
    dims = low.dims(a)
    source = a
    is_dense = isinstance(a, Strided) and a.whole and a.base in low.dense
    if not is_dense or a.type.dtype != t.dtype:
        cast = Array(t.dtype, a.type.shape)
        source = low.fill(Lazy(cast, dims, lambda index: convert(code, low.read(a, index), t.dtype)))
    assert isinstance(source, Strided)
    rows = code.product(dims[:-1])
    size = code.exact(rows)
    flat = Array(t.dtype, (size, a.type.shape[-1]))
    matrix = reshape_buffer(low, source.base, flat, (rows, dims[-1]), "")
    other = blas_operand(low, b, t.dtype)
    tail = (other.type.shape[-1],) if b.type.ndim == 2 else ()
    product = blas_product(low, matrix, other, Array(t.dtype, (size, *tail)))
    out = (*dims[:-1], *((low.dim(b, 1),) if tail else ()))
    found = reshape_buffer(low, product, t, out, hint)
    low.dense.add(found)
    return found


def _loops(low: Lowerer, instr: Instr, a: Strided, b: Strided) -> None:
    """Any ranks and dtypes, with batch dimensions broadcast."""
    code = low.code
    t = instr.result.type
    inner = low.dim(a, a.type.ndim - 1)
    if isinstance(t, Scalar):
        total = _line(low, inner, lambda k: (low.read(a, (k,)), low.read(b, (k,))), t.dtype)
        low.define_scalar(instr.result, code.coerce(total, t))
        return
    batch = t.ndim - (a.type.ndim > 1) - (b.type.ndim > 1)
    lead_a, lead_b = batch_of(a), batch_of(b)
    dims_batch = low.meet([lead_a, lead_b], t.shape[:batch])
    core_a = (low.dim(a, a.type.ndim - 2),) if a.type.ndim > 1 else ()
    core_b = (low.dim(b, b.type.ndim - 1),) if b.type.ndim > 1 else ()
    dims = (*dims_batch, *core_a, *core_b)
    full = tuple(t.shape[:batch])
    place_a = batch_index(low, lead_a, dims_batch, full)
    place_b = batch_index(low, lead_b, dims_batch, full)

    def element(index: Index) -> Operand:
        at_a, at_b = place_a(index[:batch]), place_b(index[:batch])
        row = index[batch : batch + len(core_a)]
        col = index[batch + len(core_a) :]

        def pair(k: Operand) -> tuple[Operand, Operand]:
            return low.read(a, (*at_a, *row, k)), low.read(b, (*at_b, k, *col))

        return code.coerce(_line(low, inner, pair, t.dtype), Scalar(t.dtype))

    low.define(instr.result, low.fill(Lazy(t, dims, element), instr.result.name))


def _line(
    low: Lowerer, n: Operand, pair: Callable[[Operand], tuple[Operand, Operand]], dtype: Dtype
) -> Operand:
    code = low.code
    wide = accumulator(dtype)
    op = "multiply" if dtype.kind != "b" else "logical_and"
    add = "add" if dtype.kind != "b" else "logical_or"
    start = code.coerce(Literal(np.zeros((), wide).item()), Scalar(wide))

    def body(k: Value, state: list[Operand]) -> Sequence[Operand]:
        x, y = pair(k)
        return (code.op(add, state[0], code.op(op, promote(code, x, wide), promote(code, y, wide))),)

    return code.loop((ZERO, n, ONE), (start,), body)[0]


def batch_of(rep: Strided) -> Strided:
    """Return the stack that an array of matrices is, as a view without their rows and columns."""
    n = max(rep.type.ndim - 2, 0)
    t = Array(rep.type.dtype, rep.type.shape[:n])
    return Strided(rep.base, t, rep.dims[:n], rep.offsets, rep.axes[:n], rep.whole)


def batch_index(
    low: Lowerer, lead: Strided, dims: Index, shape: tuple[Size, ...]
) -> Callable[[Index], Index]:
    """Return how an index into the stack of the result maps to one of an operand."""
    missing = len(shape) - lead.type.ndim
    scales = [low.scale(lead, k, shape[missing + k], dims[missing + k]) for k in range(lead.type.ndim)]

    def place(index: Index) -> Index:
        return tuple(low.code.mul(i, s) for i, s in zip(index[missing:], scales, strict=True))

    return place


def lower_outer(low: Lowerer, instr: Instr) -> None:
    """Lower outer: a product of a column and a row."""
    a, b = (low.buffer(low.rep(x)) for x in instr.args)
    t = instr.result.type
    assert isinstance(t, Array)
    dims = (low.dim(a, 0), low.dim(b, 0))

    def element(index: Index) -> Operand:
        x, y = low.read(a, index[:1]), low.read(b, index[1:])
        return low.code.op("multiply", promote(low.code, x, t.dtype), promote(low.code, y, t.dtype))

    low.define(instr.result, Lazy(t, dims, element, (), (a.base, b.base)))


def lower_convolve(low: Lowerer, instr: Instr) -> None:
    """Lower convolve: full as a scatter, valid as a sum per element."""
    code = low.code
    a, v = (low.buffer(low.rep(x)) for x in instr.args)
    t = instr.result.type
    assert isinstance(t, Array)
    n, m = low.dim(a, 0), low.dim(v, 0)
    for rep, name in ((a, "a"), (v, "v")):
        if not code.is_at_least(low.dim(rep, 0), Size.of(1)):
            code.fail_if(code.op("equal", low.dim(rep, 0), ZERO), ValueError, f"{name} cannot be empty")
    if instr.param("mode", "full") == "full":
        length = low.number(t.shape[0], code.sub(code.add(n, m), ONE))
        buffer = low.allocate(t.dtype, (length,), t, instr.result.name, "zeros")

        def term(index: Index) -> Operand:
            x, y = low.read(a, index[:1]), low.read(v, index[1:])
            return code.op("multiply", promote(code, x, t.dtype), promote(code, y, t.dtype))

        after = low.store(buffer, (n, m), term, lambda index: (code.add(*index),), "accum")
        low.define(instr.result, whole(after))
        return
    code.fail_if(code.op("less", n, m), ValueError, "v is longer than a")
    length = low.number(t.shape[0], code.add(code.sub(n, m), ONE))

    def element(index: Index) -> Operand:
        def pair(k: Operand) -> tuple[Operand, Operand]:
            last = code.sub(code.sub(m, ONE), k)
            return low.read(a, (code.add(index[0], k),)), low.read(v, (last,))

        return code.coerce(_line(low, m, pair, t.dtype), Scalar(t.dtype))

    low.define(instr.result, low.fill(Lazy(t, (length,), element), instr.result.name))


TABLE = {
    "outer": lower_outer,
    "convolve": lower_convolve,
}
