"""What calls that leave out, put in, repeat or choose elements, or mend jumps between them, mean."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from s2sad.ir.path import At, Fancy, Index, Span
from s2sad.ops.call import as_rank0, dims, expr, exprs, meaning, one_axis, only, strong, unsupported, whole
from s2sad.ops.declare import literal_value
from s2sad.ops.expr import Expr, apply, lift
from s2sad.ops.functions import (
    absolute,
    arange,
    both,
    cast,
    concatenate,
    cumsum,
    expand,
    item_at,
    literal,
    ones,
    permute,
    reshape,
    size,
    span_at,
    take_at,
    where,
    zeros,
)
from s2sad.ops.meaning_reduce import along_axis
from s2sad.ops.meaning_shape import broadcast_arrays

BOOL = np.dtype(bool)


# --- leaving out and putting in -----------------------------------------------------------------


@meaning(np.delete)
def delete(arr: Any, obj: Any, axis: Any = None) -> Expr:
    """Return np.delete(arr, obj, axis): of an int, of ints or of a mask."""
    x, k = along_axis(expr(arr), axis)
    index = expr(obj)
    if index.is_array and not index.ndim:
        index = apply("item0", index)
    if index.dtype.kind not in "iub" or index.ndim > 1:
        raise unsupported("np.delete takes an int, a vector of ints or a mask", "flatten obj")
    index = index if index.ndim else whole(index)
    n = size(x, k)
    known, length = literal_value(index), literal_value(n)
    if isinstance(known, int) and isinstance(length, int) and -length <= known < length:
        known %= length
        parts = [span_at(x, k, None, known)] if known else []
        parts += [span_at(x, k, known + 1)] if known + 1 < length or not parts else []
        return concatenate(tuple(parts), k) if len(parts) > 1 else apply("copy", parts[0])
    if index.dtype.kind == "b" and index.ndim:
        stays = apply("logical_not", index)
    else:
        item = Fancy() if index.ndim else At()
        stays = apply("setitem", ones(n, dtype=BOOL), False, index, path=(Index((item,)),))
    found = item_at(x, k, Fancy(mask=True), stays)
    if index.ndim:
        return found
    return reshape(found, *(n - 1 if j == k else size(x, j) for j in range(x.ndim)))


@meaning(np.insert)
def insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Expr:
    """Return np.insert(arr, obj, values, axis): before an element, or before several."""
    x, k = along_axis(expr(arr), axis)
    index, v = expr(obj), as_rank0(expr(values))
    if index.is_array and not index.ndim:
        index = apply("item0", index)
    if v.ndim > x.ndim:
        raise unsupported("the values of np.insert have a higher rank than the array", "flatten them")
    v = expand(v, *range(x.ndim - v.ndim)) if x.ndim > 1 or index.ndim else v
    if index.dtype.kind == "b" and index.ndim == 1:
        index = apply("flatnonzero", index)
    if index.dtype.kind not in "iu" or index.ndim > 1:
        raise unsupported("np.insert takes an int, a vector of ints or a mask", "flatten obj")
    alone = index.ndim == 1 and index.dims[0].is_one
    if alone:  # one place for any number of values
        index = lift(obj[0]) if isinstance(obj, tuple | list) else take_at(index, 0, 0)
    elif index.ndim:
        return _inserted(x, k, index, v)
    if x.ndim > 1 and not alone:  # the first axis of the values runs along the axis, as NumPy has it
        v = permute(v, (*range(1, k + 1), 0, *range(k + 1, x.ndim)))
    else:
        v = v if v.ndim else reshape(v, 1)
    if x.ndim > 1:
        v = apply("broadcast_to", v, *(size(v if j == k else x, j) for j in range(x.ndim)))
    v = cast(v, x.dtype)
    index = whole(index)
    n, at = size(x, k), literal_value(index)
    if isinstance(at, int):
        lo, hi = (at, n - at) if at >= 0 else (n + at, -at)
    else:
        index = where(index < 0, index + n, index)
        lo, hi = index, n - index
    # reshape raises where the place is beyond the array
    sizes = [size(x, j) for j in range(x.ndim)]
    before = reshape(span_at(x, k, None, index), *(lo if j == k else s for j, s in enumerate(sizes)))
    after = reshape(span_at(x, k, index, None), *(hi if j == k else s for j, s in enumerate(sizes)))
    return concatenate((before, v, after), k)


def _inserted(x: Expr, k: int, index: Expr, v: Expr) -> Expr:
    """The array with one value before each of several elements, which may be the same."""
    n, m = size(x, k), size(index, 0)
    index = where(index < 0, index + n, index)
    order = apply("argsort", index, axis=0, kind="stable")
    places = item_at(index, 0, Fancy(), order) + arange(0, m, 1, dtype=None)
    one = (Index((Fancy(),)),)
    places = apply("setitem", apply("zeros_like", index, dtype=None), places, order, path=one)
    mine = apply("setitem", ones(n + m, dtype=BOOL), False, places, path=one)
    whole = zeros(*(n + m if j == k else size(x, j) for j in range(x.ndim)), dtype=x.dtype)
    spans = tuple(Span() for _ in range(k)), tuple(Span() for _ in range(x.ndim - k - 1))
    path = (Index((*spans[0], Fancy(), *spans[1])),)
    filled = apply("setitem", whole, cast(v, x.dtype), places, path=path)
    mask = (Index((*spans[0], Fancy(mask=True), *spans[1])),)
    return apply("setitem", filled, x, mine, path=mask)


@meaning(np.resize)
def resize(a: Any, new_shape: Any) -> Expr:
    """Return np.resize(a, new_shape): the elements, from the beginning again where there are too few."""
    x = expr(a)
    x = x if x.ndim == 1 else reshape(x, -1)
    shape = dims(new_shape)
    total: Expr = literal(1)
    for n in shape:
        known, one = literal_value(total), literal_value(n)
        total = literal(known * one) if isinstance(known, int) and isinstance(one, int) else total * n
    found = item_at(x, 0, Fancy(), arange(0, total, 1, dtype=None) % size(x, 0))
    return found if len(shape) == 1 else reshape(found, *shape)


# --- choosing -----------------------------------------------------------------------------------


@meaning(np.choose, method="choose")
def choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Expr:
    """Return np.choose(a, choices): for each element the choice of that number."""
    index = expr(a)
    if index.dtype.kind not in "iub":
        raise TypeError("Cannot cast array data to an index")
    if isinstance(choices, Expr) and not (choices.ndim and choices.dims[0].is_const):
        raise unsupported("the number of choices must be known", "write the choices as a tuple")
    options = exprs(choices)
    n = len(options)
    if mode == "wrap":
        index = index % n
    elif mode == "clip":
        index = apply("clip", index, 0, n - 1)
    else:
        only("mode", mode, "raise")
    if n == 0:
        raise ValueError("0-length sequence.")
    kind = np.result_type(*(np.zeros((), o.dtype) for o in options))
    found = cast(options[-1], kind)
    if n == 1:
        return apply("copy", broadcast_arrays(index, found)[1])
    for k in reversed(range(n - 1)):
        found = where(index.eq(k), cast(options[k], kind), found)
    return as_rank0(found)


# --- jumps --------------------------------------------------------------------------------------


def _half(x: Expr) -> Expr:
    known = literal_value(x)
    return x / 2 if known is None else literal(known / 2)


@meaning(np.unwrap)
def unwrap(p: Any, discont: Any = None, axis: Any = -1, *, period: Any = 2 * math.pi) -> Expr:
    """Return np.unwrap(p): the correction is a constant of the derivative in p."""
    x, cycle = as_rank0(strong(expr(p))), lift(period)
    k = one_axis(axis, x.ndim)
    gap = span_at(x, k, lo=1) - span_at(x, k, hi=-1)
    gap = apply("stop_gradient", gap)
    exact = gap.dtype.kind in "iu" and cycle.dtype.kind in "iu"
    half = cycle // 2 if exact else _half(cycle)
    limit = _half(cycle) if discont is None else expr(discont)
    wrapped = (gap + half) % cycle - half
    known = literal_value(cycle)
    if not exact or known is None or known % 2 == 0:
        up = both(wrapped.eq(-half), gap > 0)
        if exact and known is None:
            up = both(up, (cycle % 2).eq(0))
        wrapped = where(up, half, wrapped)
    jumps = where(absolute(gap) < limit, 0, wrapped - gap)
    rest = span_at(x, k, lo=1) + cumsum(jumps, k)
    return concatenate((cast(span_at(x, k, hi=1), rest.dtype), rest), k)


@meaning(getattr(np, "vecmat", None))
def vecmat(x1: Any, x2: Any, /) -> Expr:
    """Return np.vecmat(x1, x2): complex vectors are conjugated."""
    a, b = expr(x1), expr(x2)
    a = apply("conjugate", a) if a.dtype.kind == "c" else a
    if a.ndim == 1:
        return apply("matmul", a, b)
    found = apply("matmul", expand(a, a.ndim - 1), b)
    return take_at(found, found.ndim - 2, 0)


@meaning(np.real_if_close)
def real_if_close(a: Any, tol: Any = 100) -> Expr:
    """Return np.real_if_close(a) of real numbers; of complex ones only a run tells the dtype."""
    x = as_rank0(expr(a))
    if x.dtype.kind == "c":
        raise unsupported("whether np.real_if_close drops the imaginary part, only a run tells", "np.real(a)")
    return x
