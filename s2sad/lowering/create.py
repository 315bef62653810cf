"""Arrays from sizes and numbers; copies and shapes that need a nest of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from s2sad.ir.core import Instr, Literal, Operand, Value
from s2sad.ir.size import Size
from s2sad.ir.types import F8, INT, Array, Scalar
from s2sad.lowering.code import ONE, ZERO, is_run_time
from s2sad.lowering.context import Lowerer
from s2sad.lowering.index import flat
from s2sad.lowering.scalars import convert, real_for, select
from s2sad.lowering.slices import as_index
from s2sad.lowering.views import Index, Lazy, Rep, Strided, whole


def sizes_of(low: Lowerer, instr: Instr, dims: Sequence[Operand]) -> Index:
    """Return the operands that spell out the shape of the result, checked not to be negative."""
    code = low.code
    out: list[Operand] = []
    t = instr.result.type
    for size, a in zip(t.shape, dims, strict=True):
        n = low.scalar(a)
        n = as_index(code, n)
        if not code.is_at_least(n, Size.of(0)):
            code.fail_if(code.op("less", n, ZERO), ValueError, "negative dimensions are not allowed")
        out.append(low.number(size, n))
    return tuple(out)


def _array(instr: Instr) -> Array:
    t = instr.result.type
    assert isinstance(t, Array)
    return t


def lower_by_dims(low: Lowerer, instr: Instr) -> None:
    """Lower zeros, ones and empty."""
    t = _array(instr)
    _allocate(low, instr, sizes_of(low, instr, instr.args), instr.op.name, t)


def lower_like(low: Lowerer, instr: Instr) -> None:
    """Lower zeros_like, ones_like and empty_like."""
    op = instr.op.name.removesuffix("_like")
    t = instr.result.type
    if isinstance(t, Scalar):
        value = np.full((), 1 if op == "ones" else 0, t.dtype).item()
        low.define_scalar(instr.result, low.code.coerce(Literal(value), t))
        return
    _allocate(low, instr, low.dims(low.rep(instr.args[0])), op, t)


def _allocate(low: Lowerer, instr: Instr, dims: Index, op: str, t: Array) -> None:
    if instr.result in low.fusible and op != "empty":
        value = Literal(np.full((), 1 if op == "ones" else 0, t.dtype).item())
        low.define(instr.result, Lazy(t, dims, lambda index: value))
        return
    low.define(instr.result, whole(low.allocate(t.dtype, dims, t, instr.result.name, op)))


def lower_full(low: Lowerer, instr: Instr) -> None:
    """Lower full and full_like."""
    t = _array(instr)
    if instr.op.name == "full":
        v, dims = instr.args[0], sizes_of(low, instr, instr.args[1:])
    else:
        v, dims = instr.args[1], low.dims(low.rep(instr.args[0]))
    rep = low.fit(low.rep(v), dims, t.shape)
    low.define(instr.result, Lazy(t, dims, lambda index: _cast(low, low.read(rep, index), t)))


def _cast(low: Lowerer, a: Operand, t: Array) -> Operand:
    a = real_for(low.code, a, t.dtype)
    return a if isinstance(a, Literal) and t.dtype == a.type.dtype else convert(low.code, a, t.dtype)


def lower_eye(low: Lowerer, instr: Instr) -> None:
    """Lower eye."""
    t = _array(instr)
    k = instr.param("k", 0) or 0

    def element(index: Index) -> Operand:
        on = low.code.op("equal", index[1], low.code.add(index[0], Literal(k)))
        return select(low.code, on, Literal(1), ZERO, t.dtype)

    low.define(instr.result, Lazy(t, sizes_of(low, instr, instr.args), element))


def lower_arange(low: Lowerer, instr: Instr) -> None:
    """Lower arange: lo + i * step, as many as NumPy makes."""
    code = low.code
    t = _array(instr)
    given = (low.scalar(a) for a in instr.args)
    lo, hi, step = (as_index(code, a) if a.type.dtype.kind in "iu" else a for a in given)
    known = code.known(t.shape[0])
    if known is not None:
        count: Operand = known
    elif all(a.type.dtype.kind in "iub" for a in (lo, hi, step)):
        gap = code.op("subtract", hi, lo)
        if not isinstance(step, Literal):
            code.fail_if(code.op("equal", step, ZERO), ZeroDivisionError, "Maximum allowed size exceeded")
        steps = code.op("negative", code.op("floor_divide", code.op("negative", gap), step))
        count = low.number(t.shape[0], code.op("at_least", steps, ZERO))
    else:
        ratio = code.op("divide", code.op("to_float64", code.op("subtract", hi, lo)), step)
        count = code.op("at_least", code.op("to_int", code.op("ceil", ratio)), ZERO)
        count = low.number(t.shape[0], count)

    def element(index: Index) -> Operand:
        if t.dtype == INT and all(a.type.dtype.kind == "i" for a in (lo, step)):
            return code.add(lo, code.mul(index[0], step))
        offset = code.op("multiply", index[0], convert(code, step, t.dtype))
        return convert(code, code.op("add", convert(code, lo, t.dtype), offset), t.dtype)

    low.define(instr.result, Lazy(t, (count,), element))


def lower_linspace(low: Lowerer, instr: Instr) -> None:
    """Lower linspace: lo + i * ((hi - lo) / n), the last point exactly hi."""
    code = low.code
    t = _array(instr)
    lo, hi = (low.scalar(a) for a in instr.args[:2])
    (count,) = sizes_of(low, instr, instr.args[2:])
    endpoint = instr.param("endpoint", True)
    lo, hi = (convert(code, a, F8) if a.type.dtype.kind != "c" else a for a in (lo, hi))
    parts = code.maximum(code.sub(count, ONE), ONE) if endpoint else code.maximum(count, ONE)
    step = code.op("divide", code.op("subtract", hi, lo), parts)
    last = code.sub(count, ONE)

    def element(index: Index) -> Operand:
        x: Operand = code.op("add", code.op("multiply", index[0], step), lo)
        if endpoint:
            final = code.op("both", code.op("equal", index[0], last), code.op("greater", last, ZERO))
            x = select(code, final, hi, x, x.type.dtype)
        if t.dtype.kind in "iu":
            x = code.op("floor", x)
        return convert(code, x, t.dtype)

    low.define(instr.result, Lazy(t, (count,), element))


def lower_array0(low: Lowerer, instr: Instr) -> None:
    """Lower a scalar as an array of rank 0."""
    low.define(instr.result, low.fill(low.rep(instr.args[0]), instr.result.name))


# -- broadcasting and reshaping ---------------------------------------------------------------------


def lower_broadcast(low: Lowerer, instr: Instr) -> None:
    """Lower broadcast_to and broadcast_like: no memory is moved."""
    t = instr.result.type
    rep = low.rep(instr.args[0])
    if isinstance(t, Scalar):
        low.define_scalar(instr.result, low.read(rep, ()))
        return
    if instr.op.name == "broadcast_like":
        dims = low.dims(low.rep(instr.args[1]))
    else:
        dims = sizes_of(low, instr, instr.args[1:])
    lead = t.ndim - rep.type.ndim
    for k, size in enumerate(rep.type.shape):
        if not size.is_one:
            n = low.dim(rep, k)
            bad = low.code.differ(n, dims[lead + k], n)
            low.code.fail_if(bad, ValueError, "operands could not be broadcast together with remapped shapes")
    fitted = low.fit(rep, dims, t.shape)
    if isinstance(fitted, Lazy):
        base = low.buffer(rep) if rep.type.ndim else rep
        fitted = low.fit(base, dims, t.shape)
        if isinstance(fitted, Lazy):
            low.reps[instr.result] = fitted  # a number: reading it again costs nothing
            return
    low.define(instr.result, fitted)


def lower_unbroadcast(low: Lowerer, instr: Instr) -> None:
    """Lower g brought to the shape of `like`: summed along the dimensions that are 1 there, repeated
    along those that are 1 in g."""
    code = low.code
    g, like = (low.rep(a) for a in instr.args)
    t = instr.result.type
    array = t if isinstance(t, Array) else Array(t.dtype, ())
    if low.same_shape(g, like):
        low.define_element(instr.result, low.fill(g, instr.result.name) if isinstance(t, Array) else g)
        return
    rank = max(g.type.ndim, like.type.ndim)
    axes = [_met(low, g, like, k) for k in range(-rank, 0)]
    buffer = low.allocate(t.dtype, low.dims(like), array, instr.result.name, "zeros")

    def part(index: Index, which: int, ndim: int) -> Index:
        scales = [scale[which] for _, *scale in axes]
        return tuple(code.mul(i, s) for i, s in zip(index[rank - ndim :], scales[rank - ndim :], strict=True))

    after = low.store(
        buffer,
        tuple(n for n, _, _ in axes),
        lambda index: low.read(g, part(index, 0, g.type.ndim)),
        lambda index: part(index, 1, like.type.ndim),
        "accum",
    )
    low.define_element(instr.result, whole(after))


def _met(low: Lowerer, g: Rep, like: Rep, axis: int) -> tuple[Operand, Operand, Operand]:
    """The trips along an axis counted from the end, and the factors of the indices of g and of like."""
    code = low.code
    i, j = axis + g.type.ndim, axis + like.type.ndim
    if i < 0 or j < 0:
        return (low.dim(like, j), ZERO, ONE) if i < 0 else (low.dim(g, i), ONE, ZERO)
    n, m = low.dim(g, i), low.dim(like, j)
    if low.agree(g, i, like, j):
        return n, ONE, ONE
    if ONE in (n, m):
        return (m, ZERO, ONE) if n == ONE else (n, ONE, ZERO)
    trips = n if isinstance(n, Literal) else code.op("select", code.op("equal", n, ONE), m, n)
    return trips, low.one_or_zero(n), low.one_or_zero(m)


def lower_reshape(low: Lowerer, instr: Instr) -> None:
    """Lower reshape and reshape_like: a view of memory of our own, else a copy in C order."""
    code = low.code
    t = _array(instr)
    rep = low.rep(instr.args[0])
    is_like = instr.op.name == "reshape_like"
    dims = low.dims(low.rep(instr.args[1])) if is_like else _reshaped(low, rep, instr)
    total = _product(t.shape)
    if _product(rep.type.shape) != total or is_run_time(total):
        bad = code.differ(code.product(low.dims(rep)), code.product(dims))
        code.fail_if(bad, ValueError, "cannot reshape array into shape")
    low.define(instr.result, reshaped(low, rep, t, dims, instr.result.name))


def reshaped(low: Lowerer, rep: Rep, t: Array, dims: Index, hint: str = "") -> Rep:
    """Return the elements of `rep`, in C order, as an array of type `t`."""
    if not (rep.type.ndim and t.ndim):
        first = low.read(rep, (ZERO,) * rep.type.ndim)
        return Lazy(t, dims, lambda index: first)
    own = low.dims(rep)
    kept = [k for k, n in enumerate(own) if n != ONE]
    if [own[k] for k in kept] == [n for n in dims if n != ONE]:  # only dimensions of 1 come and go
        place = iter(kept)
        where = [None if n == ONE else next(place) for n in dims]
        return _moved(low.buffer(rep), t, dims, where)
    if rep.type.ndim == 1:
        return Lazy(t, dims, lambda index: low.read(rep, (flat(low, index, dims),)))
    is_dense = isinstance(rep, Strided) and rep.whole and rep.base in low.dense
    source = rep if is_dense and isinstance(rep, Strided) else low.fill(rep)
    new = reshape_buffer(low, source.base, t, dims, hint)
    return whole(new)


def reshape_buffer(low: Lowerer, base: Value, t: Array, dims: Index, hint: str) -> Value:
    """Append a reshape of a contiguous buffer: a view."""
    new = low.code.op(f"as_rank{t.ndim}", base, *dims, shape=t.shape, hint=hint)
    low.roots[new] = low.roots.get(base, frozenset())
    return new


def _moved(rep: Strided, t: Array, dims: Index, where: list[int | None]) -> Rep:
    axes = tuple(() if k is None else rep.axes[k] for k in where)
    return Strided(rep.base, t, dims, rep.offsets, axes)


def _reshaped(low: Lowerer, rep: Rep, instr: Instr) -> Index:
    code = low.code
    given = [low.scalar(a) for a in instr.args[1:]]
    missing = [k for k, a in enumerate(given) if a == Literal(-1)]
    shape = _array(instr).shape
    out: list[Operand] = []
    for k, a in enumerate(given):
        if k in missing:
            found = code.known(shape[k])
            if found is None:
                others = code.product([b for j, b in enumerate(given) if j != k])
                total = code.product(low.dims(rep))
                if isinstance(others, Value):
                    code.fail_if(
                        code.op("equal", others, ZERO), ValueError, "cannot reshape array into shape"
                    )
                found = code.floordiv(total, others)
            out.append(low.number(shape[k], found))
            continue
        if not code.is_at_least(a, Size.of(0)):
            code.fail_if(code.op("less", a, ZERO), ValueError, "can only specify one unknown dimension")
        out.append(low.number(shape[k], a))
    return tuple(out)


def _product(shape: tuple[Size, ...]) -> Size:
    total = Size.of(1)
    for n in shape:
        total = total * n
    return total


TABLE = {
    "zeros": lower_by_dims,
    "ones": lower_by_dims,
    "empty": lower_by_dims,
    "zeros_like": lower_like,
    "ones_like": lower_like,
    "empty_like": lower_like,
    "full": lower_full,
    "full_like": lower_full,
    "eye": lower_eye,
    "arange": lower_arange,
    "linspace": lower_linspace,
    "array0": lower_array0,
    "broadcast_to": lower_broadcast,
    "broadcast_like": lower_broadcast,
    "unbroadcast": lower_unbroadcast,
    "reshape": lower_reshape,
    "reshape_like": lower_reshape,
}
