"""What calls of reductions and scans mean."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from s2sad.ir.types import Dtype
from s2sad.ops.call import (
    checked_sizes,
    dtype_of,
    expr,
    meaning,
    one_axis,
    only,
    some_axes,
    strong,
    unsupported,
)
from s2sad.ops.declare import literal_value
from s2sad.ops.expr import Expr, apply
from s2sad.ops.functions import (
    cast,
    concatenate,
    conj,
    count,
    expand,
    isnan,
    literal,
    mean,
    nonzero_denominator,
    permute,
    real,
    reshape,
    size,
    span_at,
    sqrt,
    total,
    where,
)


def reduce_(op: str, a: Any, axis: Any, keepdims: Any, **params: Any) -> Expr:
    """Return a reduction op along NumPy's axis argument."""
    x = strong(expr(a))
    axes = some_axes(axis, x.ndim)
    return apply(op, x, axis=axes, keepdims=bool(keepdims), **params)


def _typed(a: Any, dtype: Any) -> Expr:
    x = strong(expr(a))
    found = dtype_of(dtype)
    return x if found is None else cast(x, found)


def _mask(chosen: Any) -> Expr | None:
    """The where= of a reduction, None if it takes all elements."""
    if chosen is True:
        return None
    e = expr(chosen)
    if literal_value(e) is True:
        return None
    if e.dtype.kind != "b":
        raise TypeError("where= of a reduction must be bools")
    return e


def _chosen(x: Expr, chosen: Any, neutral: Any) -> Expr:
    """x, with what changes nothing where it is not chosen."""
    mask = _mask(chosen)
    if mask is None:
        return x
    if mask.ndim > x.ndim:
        raise unsupported("where= of a higher rank is not supported", "broadcast the array before")
    return where(mask, x, cast_literal(neutral, x.dtype))


def cast_literal(value: Any, dtype: Dtype) -> Any:
    """Return a number in the kind of a dtype."""
    return dtype.type(value).item()


def _begin(initial: Any, dtype: Dtype) -> Expr:
    """The initial= of a reduction, in the result's dtype."""
    e = expr(initial)
    value = literal_value(e)
    if value is not None:
        return literal(int(value)) if dtype.kind in "iu" else e
    return e if e.dtype == dtype else cast(e, dtype)


@meaning(np.sum, method="sum")
def sum_(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = None,
    where: Any = True,
) -> Expr:
    """Return np.sum(a)."""
    y = reduce_("sum", _chosen(_typed(a, dtype), where, 0), axis, keepdims)
    return y if initial is None else y + _begin(initial, y.dtype)


@meaning(np.prod, method="prod")
def prod(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = False,
    initial: Any = None,
    where: Any = True,
) -> Expr:
    """Return np.prod(a)."""
    y = reduce_("prod", _chosen(_typed(a, dtype), where, 1), axis, keepdims)
    return y if initial is None else y * _begin(initial, y.dtype)


@meaning(np.mean, method="mean")
def mean_(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True
) -> Expr:
    """Return np.mean(a)."""
    x, mask = _typed(a, dtype), _mask(where)
    if mask is not None:
        return _masked_mean(x, _there(mask, x), axis, keepdims)
    return reduce_("mean", x, axis, keepdims)


def _there(mask: Expr, x: Expr) -> Expr:
    """A where= in the shape of the array."""
    return mask if mask.dims == x.dims or not x.ndim else apply("broadcast_like", mask, x)


def _masked_mean(x: Expr, there: Expr, axis: Any, keepdims: Any) -> Expr:
    y = reduce_("sum", where(there, x, 0.0), axis, keepdims)
    return y / cast(reduce_("count_nonzero", there, axis, keepdims), real_dtype(y))


def real_dtype(y: Expr) -> Dtype:
    """Return the dtype of the parts of a float or complex number; float64 for ints."""
    return np.zeros(0, y.dtype).real.dtype if y.dtype.kind in "fc" else np.dtype(np.float64)


def masked_var(x: Expr, there: Expr, axis: Any, ddof: Any, keepdims: Any) -> Expr:
    """Return the variance of the elements that are `there`."""
    away = where(there, x - _masked_mean(x, there, axis, True), 0.0)
    square = real(away * conj(away)) if x.dtype.kind == "c" else away * away
    n = reduce_("count_nonzero", there, axis, keepdims)
    return reduce_("sum", square, axis, keepdims) / cast(n - ddof, square.dtype)


def root_of_var(v: Expr) -> Expr:
    """Return the standard deviation of a variance; its derivative is 0 where it is, as np.std's."""
    return where(v.eq(0), 0.0, sqrt(nonzero_denominator(v)))


@meaning(np.max, np.amax, method="max")
def max_(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True
) -> Expr:
    """Return np.max(a)."""
    return _extreme("max", "maximum", a, axis, keepdims, initial, where)


def _extreme(op: str, choice: str, a: Any, axis: Any, keepdims: Any, initial: Any, chosen: Any) -> Expr:
    if initial is None:
        if _mask(chosen) is not None:
            raise ValueError(f"reduction operation '{choice}' does not have an identity, use initial=")
        return reduce_(op, a, axis, keepdims)
    x = strong(expr(a))
    if x.dtype.kind == "c":
        raise unsupported(f"initial= of np.{op} of complex numbers is not supported", "leave out initial=")
    nothing = _of_nothing(op, x.dtype)
    x = _chosen(x, chosen, nothing)
    places = range(x.ndim) if axis is None else some_axes(axis, x.ndim) or ()
    filled = all(x.dims[k].is_const and x.dims[k].const > 0 for k in places)
    y = reduce_(op, x, axis, keepdims, **({} if filled else {"initial": nothing}))
    start = _begin(initial, y.dtype)
    return y if literal_value(start) == nothing else apply(choice, y, start)


def _of_nothing(op: str, dtype: Dtype) -> Any:
    """The extreme of no numbers: what all others are beyond."""
    if dtype.kind == "f":
        return -math.inf if op == "max" else math.inf
    if dtype.kind == "b":
        return op == "min"
    limits = np.iinfo(dtype.name)
    return limits.min if op == "max" else limits.max


@meaning(np.min, np.amin, method="min")
def min_(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True
) -> Expr:
    """Return np.min(a)."""
    return _extreme("min", "minimum", a, axis, keepdims, initial, where)


@meaning(np.ptp)
def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Expr:
    """Return np.ptp(a)."""
    return reduce_("max", a, axis, keepdims) - reduce_("min", a, axis, keepdims)


def _spread(
    op: str, a: Any, axis: Any, dtype: Any, ddof: Any, keepdims: Any, correction: Any, chosen: Any
) -> Expr:
    x = _typed(a, dtype)
    if x.dtype.kind == "c":
        raise unsupported(f"np.{op} of complex numbers is not supported", "write it with np.abs and np.mean")
    ddof = ddof if correction is None else correction
    mask = _mask(chosen)
    if mask is not None:
        found = masked_var(x, _there(mask, x), axis, ddof, keepdims)
        return found if op == "var" else root_of_var(found)
    return reduce_(op, x, axis, keepdims, **({"ddof": ddof} if ddof else {}))


@meaning(np.var, method="var")
def var(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: Any = 0,
    keepdims: Any = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Expr:
    """Return np.var(a)."""
    only("mean", mean, None)
    return _spread("var", a, axis, dtype, ddof, keepdims, correction, where)


@meaning(np.std, method="std")
def std(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: Any = 0,
    keepdims: Any = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Expr:
    """Return np.std(a)."""
    only("mean", mean, None)
    return _spread("std", a, axis, dtype, ddof, keepdims, correction, where)


@meaning(np.any, method="any")
def any_(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True) -> Expr:
    """Return np.any(a)."""
    return reduce_("any", _flags(a, where, False), axis, keepdims)


@meaning(np.all, method="all")
def all_(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True) -> Expr:
    """Return np.all(a)."""
    return reduce_("all", _flags(a, where, True), axis, keepdims)


def _flags(a: Any, chosen: Any, neutral: bool) -> Expr:
    x = expr(a)
    return x if _mask(chosen) is None else _chosen(cast(x, np.dtype(bool)), chosen, neutral)


@meaning(np.count_nonzero)
def count_nonzero(a: Any, axis: Any = None, *, keepdims: Any = False) -> Expr:
    """Return np.count_nonzero(a)."""
    return reduce_("count_nonzero", a, axis, keepdims)


def _arg(op: str, a: Any, axis: Any, keepdims: Any) -> Expr:
    x = strong(expr(a))
    return apply(op, x, axis=None if axis is None else one_axis(axis, x.ndim), keepdims=bool(keepdims))


@meaning(np.argmax, method="argmax")
def argmax(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Expr:
    """Return np.argmax(a)."""
    return _arg("argmax", a, axis, keepdims)


@meaning(np.argmin, method="argmin")
def argmin(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Expr:
    """Return np.argmin(a)."""
    return _arg("argmin", a, axis, keepdims)


def along_axis(x: Expr, axis: Any) -> tuple[Expr, int]:
    """Return the array and the axis that a scan runs over; without an axis the flattened array."""
    if axis is None:
        return (x if x.ndim == 1 else reshape(x, -1)), 0
    return x, one_axis(axis, x.ndim)


def _scan(op: str, a: Any, axis: Any, dtype: Any) -> Expr:
    x, k = along_axis(_typed(a, dtype), axis)
    return apply(op, x, axis=k)


@meaning(np.cumsum, method="cumsum")
def cumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Expr:
    """Return np.cumsum(a)."""
    return _scan("cumsum", a, axis, dtype)


@meaning(np.cumprod, method="cumprod")
def cumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Expr:
    """Return np.cumprod(a)."""
    return _scan("cumprod", a, axis, dtype)


@meaning(np.average)
def average(
    a: Any, axis: Any = None, weights: Any = None, returned: Any = False, *, keepdims: Any = False
) -> Expr:
    """Return np.average(a, weights=weights)."""
    only("returned", returned, False)
    x = strong(expr(a))
    axes = some_axes(axis, x.ndim)
    if weights is None:
        return mean(x, axes, bool(keepdims))
    if x.dtype.kind in "biu":
        x = apply("cast", x, dtype=np.dtype(np.float64))
    w = strong(expr(weights))
    if w.ndim != x.ndim:
        if axes is None or len(axes) != 1 or w.ndim != 1:
            raise unsupported("weights of another rank need one axis", "give the weights the shape of a")
        w = checked_sizes(w, {0: size(x, axes[0])}, _UNLIKE)
        norm: Expr = total(w)
        w = expand(w, *(k for k in range(x.ndim) if k != axes[0]))
    else:
        w = checked_sizes(w, {k: size(x, k) for k in range(x.ndim)}, _UNLIKE)
        norm = total(w, axes, bool(keepdims))
    return total(x * w, axes, bool(keepdims)) / _not_zero(norm)


_UNLIKE = "Shape of weights must be consistent with shape of a along specified axis"


def _not_zero(norm: Expr) -> Expr:
    """The sum of weights, times 1: a division of ints, which raises where it is zero."""
    return norm * (1 // apply("to_int", apply("all", norm.ne(0), axis=None, keepdims=False)))


# --- without nans -------------------------------------------------------------------------------


@meaning(np.nansum)
def nansum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False) -> Expr:
    """Return np.nansum(a)."""
    return reduce_("sum", without_nan(_typed(a, dtype), 0.0), axis, keepdims)


@meaning(np.nanprod)
def nanprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False) -> Expr:
    """Return np.nanprod(a)."""
    return reduce_("prod", without_nan(_typed(a, dtype), 1.0), axis, keepdims)


def without_nan(x: Expr, neutral: float) -> Expr:
    """Return x with a number instead of its nans; ints have none."""
    return where(isnan(x), neutral, x) if x.dtype.kind in "fc" else x


@meaning(np.nanmean)
def nanmean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False) -> Expr:
    """Return np.nanmean(a)."""
    x = _typed(a, dtype)
    return _masked_mean(x, apply("logical_not", isnan(x)), axis, keepdims)


# --- differences and order statistics -----------------------------------------------------------


@meaning(np.diff, static="n")
def diff(a: Any, n: int = 1, axis: Any = -1, prepend: Any = None, append: Any = None) -> Expr:
    """Return np.diff(a)."""
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n}")
    x = expr(a)
    k = one_axis(axis, x.ndim)
    ends = [e if e is None else _as_slab(expr(e), x, k) for e in (prepend, append)]
    parts = tuple(e for e in (ends[0], x, ends[1]) if e is not None)
    x = concatenate(parts, k)
    for _ in range(n):
        op = "not_equal" if x.dtype.kind == "b" else "subtract"
        x = apply(op, span_at(x, k, lo=1), span_at(x, k, hi=-1))
    return x


def _as_slab(e: Expr, x: Expr, axis: int) -> Expr:
    if e.ndim:
        return e
    return apply("broadcast_to", e, *(literal(1) if k == axis else size(x, k) for k in range(x.ndim)))


def merged(x: Expr, axis: Any) -> tuple[Expr, tuple[int, ...]]:
    """Return the array with the axes of a reduction merged into its last one, and these axes."""
    axes = some_axes(axis, x.ndim)
    if axes is None:
        return (x if x.ndim == 1 else reshape(x, -1)), tuple(range(x.ndim))
    if len(axes) == 1:
        rest = tuple(k for k in range(x.ndim) if k != axes[0])
        return permute(x, (*rest, *axes)), axes
    rest = tuple(k for k in range(x.ndim) if k not in axes)
    moved = permute(x, (*rest, *axes))
    return reshape(moved, *(size(x, k) for k in rest), count(x, axes)), axes


@meaning(np.median)
def median(
    a: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False, keepdims: Any = False
) -> Expr:
    """Return np.median(a)."""
    x, axes = merged(strong(expr(a)), axis)
    k = x.ndim - 1
    s = apply("sort", x, axis=k)
    n = count(x, (k,))
    pair = (span_at(s, k, (n - 1) // 2, (n + 1) // 2), span_at(s, k, n // 2, n // 2 + 1))
    middle = mean(concatenate(pair, k), (k,))
    last = total(span_at(s, k, lo=-1), (k,))  # a sum, for there may be none
    y = where(isnan(last), last, middle)
    return expand(y if y.is_array else apply("array0", y), *axes) if keepdims and axes else y


# --- ufunc methods ------------------------------------------------------------------------------


def _ufunc_reduce(op: str) -> Any:
    def reduce(
        array: Any,
        axis: Any = 0,
        dtype: Any = None,
        out: Any = None,
        keepdims: Any = False,
        initial: Any = None,
        where: Any = True,
    ) -> Expr:
        only("where", where, True)
        only("initial", initial, None)
        return reduce_(op, _typed(array, dtype), axis, keepdims)

    return reduce


def _ufunc_accumulate(op: str) -> Any:
    def accumulate(array: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Expr:
        return _scan(op, array, axis, dtype)

    return accumulate


for _ufunc, _op in (
    (np.add, "sum"),
    (np.multiply, "prod"),
    (np.maximum, "max"),
    (np.minimum, "min"),
    (np.logical_and, "all"),
    (np.logical_or, "any"),
):
    meaning(_ufunc.reduce)(_ufunc_reduce(_op))
meaning(np.add.accumulate)(_ufunc_accumulate("cumsum"))
meaning(np.multiply.accumulate)(_ufunc_accumulate("cumprod"))
