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
        _define(low, instr, _dot(low, blas_operand(low, a, t.dtype), blas_operand(low, b, t.dtype), t))
    elif has_blas(t.dtype) and b.type.ndim <= 2 and isinstance(t, Array):
        _define(low, instr, _flat_dot(low, a, b, t, instr.result.name))
    else:
        _loops(low, instr, low.buffer(a), low.buffer(b))


def _define(low: Lowerer, instr: Instr, found: Value) -> None:
    if isinstance(instr.result.type, Scalar):
        low.define_scalar(instr.result, found)
    else:
        low.define(instr.result, whole(found))


def _dot(low: Lowerer, a: Value, b: Value, t: Array | Scalar, hint: str = "") -> Value:
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
    size = code.bounds_of(rows)[0] or code.sizes.fresh()
    flat = Array(t.dtype, (size, a.type.shape[-1]))
    matrix = reshape_buffer(low, source.base, flat, (rows, dims[-1]), "")
    other = blas_operand(low, b, t.dtype)
    tail = (other.type.shape[-1],) if b.type.ndim == 2 else ()
    product = _dot(low, matrix, other, Array(t.dtype, (size, *tail)))
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
    lead_a, lead_b = _batch(a), _batch(b)
    dims_batch = low.meet([lead_a, lead_b], t.shape[:batch])
    core_a = (low.dim(a, a.type.ndim - 2),) if a.type.ndim > 1 else ()
    core_b = (low.dim(b, b.type.ndim - 1),) if b.type.ndim > 1 else ()
    dims = (*dims_batch, *core_a, *core_b)
    full = tuple(t.shape[:batch])
    place_a = _batch_index(low, lead_a, dims_batch, full)
    place_b = _batch_index(low, lead_b, dims_batch, full)

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


def _batch(rep: Strided) -> Strided:
    n = max(rep.type.ndim - 2, 0)
    t = Array(rep.type.dtype, rep.type.shape[:n])
    return Strided(rep.base, t, rep.dims[:n], rep.offsets, rep.axes[:n], rep.whole)


def _batch_index(
    low: Lowerer, lead: Strided, dims: Index, shape: tuple[Size, ...]
) -> Callable[[Index], Index]:
    """How a batch index of the result maps to one of an operand."""
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


# -- einsum -----------------------------------------------------------------------------------------------


def lower_einsum(low: Lowerer, instr: Instr) -> None:
    """Lower einsum: BLAS where it is a matrix product, else one nest per element of the result."""
    left, output = instr.param("subscripts").split("->")
    inputs = left.split(",")
    reps = [low.rep(x) for x in instr.args]
    t = instr.result.type
    dims = _label_dims(low, reps, inputs)
    if _is_product(low, inputs, output, reps) and has_blas(t.dtype) and isinstance(t, Array):
        low.define(instr.result, _einsum_product(low, reps, inputs, output, t, instr.result.name))
        return
    _einsum_loops(low, instr, [low.buffer(r) if r.type.ndim else r for r in reps], inputs, output, dims)


def _label_dims(low: Lowerer, reps: Sequence[Rep], inputs: Sequence[str]) -> dict[str, Operand]:
    code = low.code
    found: dict[str, tuple[Size, Operand]] = {}
    for rep, labels in zip(reps, inputs, strict=True):
        for k, label in enumerate(labels):
            size = rep.type.shape[k]
            if label not in found or found[label][0].is_one:
                found[label] = (size, low.dim(rep, k))
            elif low.dim(rep, k) != found[label][1] and not size.is_one:
                n, m = low.dim(rep, k), found[label][1]
                code.fail_if(
                    code.differ(n, m, n, m),
                    ValueError,
                    f"einsum: dimensions of subscript {label} do not match",
                )
                found[label] = (size, code.maximum(n, m) if not isinstance(n, Literal) else n)
    return {label: n for label, (_, n) in found.items()}


def _is_product(low: Lowerer, inputs: Sequence[str], output: str, reps: Sequence[Rep]) -> bool:
    if len(inputs) != 2:
        return False
    a, b = inputs
    if any(len(set(s)) != len(s) for s in (a, b, output)):
        return False
    if any(not low.agree(reps[0], k, reps[1], b.index(c)) for k, c in enumerate(a) if c in b):
        return False
    shared = set(a) & set(b)
    free_a, free_b = set(a) - shared, set(b) - shared
    return bool(shared and free_a and free_b) and not shared & set(output) and free_a | free_b == set(output)


def _einsum_product(
    low: Lowerer, reps: Sequence[Rep], inputs: Sequence[str], output: str, t: Array, hint: str
) -> Rep:
    a, b = inputs
    shared = [c for c in a if c in b]
    free_a, free_b = [c for c in a if c not in b], [c for c in b if c not in a]
    left = _matrix(low, reps[0], a, free_a, shared, t.dtype)
    right = _matrix(low, reps[1], b, shared, free_b, t.dtype)
    product = _dot(low, left, right, Array(t.dtype, (left.type.shape[0], right.type.shape[1])))
    sizes = {
        c: (r.type.shape[k], low.dim(r, k))
        for r, s in zip(reps, inputs, strict=True)
        for k, c in enumerate(s)
    }
    order = [*free_a, *free_b]
    shape = Array(t.dtype, tuple(sizes[c][0] for c in order))
    dims = tuple(sizes[c][1] for c in order)
    final = order == list(output)
    found = product if len(order) == 2 else reshape_buffer(low, product, shape, dims, hint if final else "")
    low.dense.add(found)
    rep = whole(found)
    if final:
        return rep
    places = [order.index(c) for c in output]
    axes = tuple(rep.axes[p] for p in places)
    return low.fill(Strided(found, t, tuple(dims[p] for p in places), rep.offsets, axes), hint)


def _matrix(
    low: Lowerer, rep: Rep, labels: str, rows: Sequence[str], cols: Sequence[str], dtype: Dtype
) -> Value:
    """The operand with its axes grouped into a matrix."""
    code = low.code
    order = [labels.index(c) for c in (*rows, *cols)]
    if len(order) == 2:
        if order == [0, 1]:
            return blas_operand(low, rep, dtype)
        base = blas_operand(low, rep, dtype)
        return code.op("getitem", base, path=(Permute((1, 0)),))
    dims = low.dims(rep)
    t = Array(dtype, tuple(rep.type.shape[k] for k in order))

    def element(index: Index) -> Operand:
        source: list[Operand] = [ZERO] * len(order)
        for k, i in zip(order, index, strict=True):
            source[k] = i
        return convert(code, low.read(rep, tuple(source)), dtype)

    copied = low.fill(Lazy(t, tuple(dims[k] for k in order), element))
    n, m = (code.product([dims[labels.index(c)] for c in group]) for group in (rows, cols))
    sizes = tuple(code.bounds_of(x)[0] or code.sizes.fresh() for x in (n, m))
    return reshape_buffer(low, copied.base, Array(dtype, sizes), (n, m), "")


def _einsum_loops(
    low: Lowerer,
    instr: Instr,
    reps: Sequence[Rep],
    inputs: Sequence[str],
    output: str,
    dims: dict[str, Operand],
) -> None:
    code = low.code
    t = instr.result.type
    summed = sorted(set("".join(inputs)) - set(output))
    line = tuple(dims[c] for c in summed)
    wide = accumulator(t.dtype)

    def element(index: Index) -> Operand:
        at = dict(zip(output, index, strict=True))

        def product(inner: Index) -> Operand:
            where = at | dict(zip(summed, inner, strict=True))
            factors = [
                low.read(r, tuple(_scaled(low, r, k, where[c], dims[c]) for k, c in enumerate(labels)))
                for r, labels in zip(reps, inputs, strict=True)
            ]
            total = promote(code, factors[0], wide)
            for f in factors[1:]:
                total = code.op("multiply", total, promote(code, f, wide))
            return total

        if not summed:
            return code.coerce(product(()), Scalar(t.dtype))
        start = code.coerce(Literal(np.zeros((), wide).item()), Scalar(wide))
        (found,) = code.nest(line, (start,), lambda i, state: (code.op("add", state[0], product(i)),))
        return code.coerce(found, Scalar(t.dtype))

    if isinstance(t, Scalar):
        low.define_scalar(instr.result, element(()))
        return
    low.define(instr.result, low.fill(Lazy(t, tuple(dims[c] for c in output), element), instr.result.name))


def _scaled(low: Lowerer, rep: Rep, axis: int, i: Operand, n: Operand) -> Operand:
    """The index of an axis that may be 1 where its label is longer."""
    own = low.dim(rep, axis)
    if own == n:
        return i
    if own == ONE:
        return ZERO
    if isinstance(own, Literal):
        return i
    return low.code.mul(i, low.one_or_zero(own))


TABLE = {
    "matmul": lower_matmul,
    "outer": lower_outer,
    "convolve": lower_convolve,
    "einsum": lower_einsum,
}
