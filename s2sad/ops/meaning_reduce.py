"""What calls of reductions and scans mean."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from s2sad.ir.types import Dtype
from s2sad.ops.call import (
    as_rank0,
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
    count,
    expand,
    isnan,
    literal,
    mean,
    permute,
    reshape,
    size,
    span_at,
    take_at,
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


def _no_mask(where: Any) -> None:
    if where is not True:
        raise unsupported("where= of a reduction is not supported", "select with np.where before reducing")


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
    _no_mask(where)
    y = reduce_("sum", _typed(a, dtype), axis, keepdims)
    return y if initial is None else y + expr(initial)


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
    _no_mask(where)
    y = reduce_("prod", _typed(a, dtype), axis, keepdims)
    return y if initial is None else y * expr(initial)


@meaning(np.mean, method="mean")
def mean_(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True
) -> Expr:
    """Return np.mean(a)."""
    _no_mask(where)
    return reduce_("mean", _typed(a, dtype), axis, keepdims)


@meaning(np.max, np.amax, method="max")
def max_(
    a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, initial: Any = None, where: Any = True
) -> Expr:
    """Return np.max(a)."""
    _no_mask(where)
    return _extreme("max", "maximum", a, axis, keepdims, initial)


def _extreme(op: str, choice: str, a: Any, axis: Any, keepdims: Any, initial: Any) -> Expr:
    if initial is None:
        return reduce_(op, a, axis, keepdims)
    x = strong(expr(a))
    if x.dtype.kind == "c":
        raise unsupported(f"initial= of np.{op} of complex numbers is not supported", "leave out initial=")
    nothing = _of_nothing(op, x.dtype)
    places = range(x.ndim) if axis is None else some_axes(axis, x.ndim) or ()
    filled = all(x.dims[k].is_const and x.dims[k].const > 0 for k in places)
    y = reduce_(op, x, axis, keepdims, **({} if filled else {"initial": nothing}))
    start = expr(initial)
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
    _no_mask(where)
    return _extreme("min", "minimum", a, axis, keepdims, initial)


@meaning(np.ptp)
def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Expr:
    """Return np.ptp(a)."""
    return reduce_("max", a, axis, keepdims) - reduce_("min", a, axis, keepdims)


def _spread(op: str, a: Any, axis: Any, dtype: Any, ddof: Any, keepdims: Any, correction: Any) -> Expr:
    x = _typed(a, dtype)
    if x.dtype.kind == "c":
        raise unsupported(f"np.{op} of complex numbers is not supported", "write it with np.abs and np.mean")
    ddof = ddof if correction is None else correction
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
    _no_mask(where)
    only("mean", mean, None)
    return _spread("var", a, axis, dtype, ddof, keepdims, correction)


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
    _no_mask(where)
    only("mean", mean, None)
    return _spread("std", a, axis, dtype, ddof, keepdims, correction)


@meaning(np.any, method="any")
def any_(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True) -> Expr:
    """Return np.any(a)."""
    _no_mask(where)
    return reduce_("any", a, axis, keepdims)


@meaning(np.all, method="all")
def all_(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, *, where: Any = True) -> Expr:
    """Return np.all(a)."""
    _no_mask(where)
    return reduce_("all", a, axis, keepdims)


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
    x = _typed(a, dtype)
    return reduce_("sum", where(isnan(x), 0.0, x), axis, keepdims)


@meaning(np.nanprod)
def nanprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False) -> Expr:
    """Return np.nanprod(a)."""
    x = _typed(a, dtype)
    return reduce_("prod", where(isnan(x), 1.0, x), axis, keepdims)


@meaning(np.nanmean)
def nanmean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False) -> Expr:
    """Return np.nanmean(a)."""
    x = _typed(a, dtype)
    there = apply("logical_not", isnan(x))
    y = reduce_("sum", where(there, x, 0.0), axis, keepdims)
    return y / cast(reduce_("count_nonzero", there, axis, keepdims), y.dtype)


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


@meaning(np.median)
def median(
    a: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False, keepdims: Any = False
) -> Expr:
    """Return np.median(a)."""
    given = strong(expr(a))
    axes = some_axes(axis, given.ndim)
    if axes is not None and len(axes) > 1:  # the lines as one axis, behind the others
        rest = tuple(k for k in range(given.ndim) if k not in axes)
        lines = reshape(permute(given, (*rest, *axes)), *(size(given, k) for k in rest), count(given, axes))
        found = median(lines, len(rest))
        return expand(found, *axes) if keepdims else found
    if axis is None and keepdims:
        return expand(as_rank0(median(given)), *range(given.ndim))
    x, k = along_axis(given, None if axes is None else axes[0])
    s = apply("sort", x, axis=k)
    n = count(x, (k,))
    middle = mean(
        concatenate((span_at(s, k, (n - 1) // 2, (n + 1) // 2), span_at(s, k, n // 2, n // 2 + 1)), k),
        (k,),
        bool(keepdims),
    )
    last = take_at(s, k, -1) if not keepdims else span_at(s, k, lo=-1)
    return where(isnan(last), last, middle)


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
        _no_mask(where)
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
