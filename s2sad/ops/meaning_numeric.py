"""What calls of numerical recipes mean: differences, interpolation, nan-aware reductions, convolution,
covariance."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from s2sad.errors import TypeMismatch
from s2sad.ir.path import Fancy, Index
from s2sad.ops.call import (
    as_rank0,
    cast_as,
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
from s2sad.ops.expr import Expr, apply, lift
from s2sad.ops.functions import (
    cast,
    concatenate,
    conj,
    expand,
    flip,
    isnan,
    item_at,
    literal,
    logical_not,
    matmul,
    mean,
    nonzero_denominator,
    real,
    size,
    span_at,
    sqrt,
    swap,
    take_at,
    total,
    where,
)
from s2sad.ops.meaning_elementwise import resolved
from s2sad.ops.meaning_reduce import along_axis, reduce_
from s2sad.ops.meaning_shape import join

# --- differences and integrals ------------------------------------------------------------------


@meaning(getattr(np, "trapezoid", None))
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1) -> Expr:
    """Return np.trapezoid(y, x)."""
    f = strong(expr(y))
    k = one_axis(axis, f.ndim)
    if x is None:
        d = expr(dx)
    else:
        t = expr(x)
        j = 0 if t.ndim == 1 else k
        d = span_at(t, j, lo=1) - span_at(t, j, hi=-1)
        if t.ndim == 1:
            d = expand(d, *(i for i in range(f.ndim) if i != k))
    return total(d * (span_at(f, k, lo=1) + span_at(f, k, hi=-1)) / 2.0, k)


@meaning(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1) -> Any:
    """Return np.gradient(f) for even spacing."""
    x = strong(expr(f))
    only("edge_order", None if literal_value(lift(edge_order)) == 1 else edge_order, None)
    axes = some_axes(axis, x.ndim)
    places = tuple(range(x.ndim)) if axes is None else axes
    steps = tuple(expr(v) for v in varargs) or (literal(1.0),)
    steps = steps * len(places) if len(steps) == 1 else steps
    if len(steps) != len(places):
        raise TypeError("invalid number of arguments")
    if any(h.ndim for h in steps):
        raise unsupported("np.gradient with coordinates is not supported", "divide the differences yourself")
    out = tuple(_central(x, k, h) for k, h in zip(places, steps, strict=True))
    return out[0] if len(out) == 1 else out


def _central(x: Expr, k: int, h: Expr) -> Expr:
    middle = (span_at(x, k, lo=2) - span_at(x, k, hi=-2)) / (2.0 * h)
    first = (take_at(x, k, 1) - take_at(x, k, 0)) / h
    last = (take_at(x, k, -1) - take_at(x, k, -2)) / h
    if x.ndim == 1:
        ends = [apply("stack", e, axis=0) for e in (first, last)]
    else:
        ends = [expand(e, k) for e in (first, last)]
    return concatenate((ends[0], middle, ends[1]), k)


@meaning(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Expr:
    """Return np.ediff1d(ary)."""
    x, _ = along_axis(expr(ary), None)
    parts = (to_begin, span_at(x, 0, lo=1) - span_at(x, 0, hi=-1), to_end)
    return join(tuple(_line(expr(p)) for p in parts if p is not None), 0)


def _line(e: Expr) -> Expr:
    return e if e.ndim == 1 else apply("reshape", e, -1)


@meaning(getattr(np, "cumulative_sum", None), static="include_initial")
def cumulative_sum(
    x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None, include_initial: bool = False
) -> Expr:
    """Return np.cumulative_sum(x)."""
    return _cumulative("cumsum", "zeros_like", x, axis, dtype, include_initial)


@meaning(getattr(np, "cumulative_prod", None), static="include_initial")
def cumulative_prod(
    x: Any, /, *, axis: Any = None, dtype: Any = None, out: Any = None, include_initial: bool = False
) -> Expr:
    """Return np.cumulative_prod(x)."""
    return _cumulative("cumprod", "ones_like", x, axis, dtype, include_initial)


def _cumulative(op: str, start: str, a: Any, axis: Any, dtype: Any, include_initial: bool) -> Expr:
    x = as_rank0(expr(a, dtype_of(dtype)))
    if x.ndim != 1 and axis is None:
        raise ValueError("For arrays which have more than one dimension ``axis`` argument is required.")
    k = one_axis(axis or 0, x.ndim)
    y = apply(op, x, axis=k)
    if not include_initial:
        return y
    one = apply(start, expand(apply("sum", y, axis=(k,), keepdims=False), k), dtype=None)
    return concatenate((one, y), k)


# --- interpolation ------------------------------------------------------------------------------


@meaning(np.interp)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Expr:
    """Return np.interp(x, xp, fp): linear between the points, constant outside."""
    only("period", period, None)
    t, knots = (cast_as(expr(e), np.float64, "safe") for e in (x, xp))
    values = expr(fp)
    kind = np.dtype(complex if values.dtype.kind == "c" else float)
    values = cast_as(values, kind, "safe")
    n = size(knots, 0)
    values = checked_sizes(values, {0: n}, "fp and xp are not of the same length.")
    j = apply("clip", apply("searchsorted", knots, t, side="right") - 1, 0, n - 2)
    x0, y0 = (_at(e, j) for e in (knots, values))
    x1, y1 = (_at(e, j + 1) for e in (knots, values))
    inside = (y1 - y0) / (x1 - x0) * (t - x0) + y0
    first, last = take_at(values, 0, 0), take_at(values, 0, -1)
    low, high = (e if v is None else cast_as(expr(v), kind) for v, e in ((left, first), (right, last)))
    end = take_at(knots, 0, -1)
    beyond = where(t > end, high, where(t.eq(end), last, inside))
    return where(t < take_at(knots, 0, 0), low, beyond)


def _at(x: Expr, index: Expr) -> Expr:
    return item_at(x, 0, Fancy(), index) if index.is_array else take_at(x, 0, index)


# --- without nans -------------------------------------------------------------------------------


def _nan_extreme(op: str, lowest: float, a: Any, axis: Any, keepdims: Any) -> Expr:
    x = strong(expr(a))
    gone = isnan(x)
    y = reduce_(op, where(gone, lowest, x), axis, keepdims)
    return where(reduce_("all", gone, axis, keepdims), math.nan, y)


@meaning(np.nanmax)
def nanmax(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Expr:
    """Return np.nanmax(a)."""
    return _nan_extreme("max", -math.inf, a, axis, keepdims)


@meaning(np.nanmin)
def nanmin(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False) -> Expr:
    """Return np.nanmin(a)."""
    return _nan_extreme("min", math.inf, a, axis, keepdims)


@meaning(np.nanvar)
def nanvar(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = False
) -> Expr:
    """Return np.nanvar(a)."""
    x = strong(expr(a, dtype_of(dtype)))
    there = logical_not(isnan(x))
    count = reduce_("count_nonzero", there, axis, True)
    average = reduce_("sum", where(there, x, 0.0), axis, True) / cast(count, x.dtype)
    away = where(there, x - average, 0.0)
    square = real(away * conj(away)) if x.dtype.kind == "c" else away * away
    n = reduce_("count_nonzero", there, axis, keepdims)
    return reduce_("sum", square, axis, keepdims) / cast(n - ddof, square.dtype)


@meaning(np.nanstd)
def nanstd(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = False
) -> Expr:
    """Return np.nanstd(a)."""
    v = nanvar(a, axis, dtype, None, ddof, keepdims)
    return where(v.eq(0), 0.0, sqrt(nonzero_denominator(v)))  # the derivative is 0 there, as np.std's


@meaning(np.nancumsum)
def nancumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Expr:
    """Return np.nancumsum(a)."""
    x, k = along_axis(strong(expr(a, dtype_of(dtype))), axis)
    return apply("cumsum", where(isnan(x), 0.0, x), axis=k)


@meaning(np.nancumprod)
def nancumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Expr:
    """Return np.nancumprod(a)."""
    x, k = along_axis(strong(expr(a, dtype_of(dtype))), axis)
    return apply("cumprod", where(isnan(x), 1.0, x), axis=k)


# --- convolution, polynomials, covariance -------------------------------------------------------


@meaning(np.convolve)
def convolve(a: Any, v: Any, mode: str = "full") -> Expr:
    """Return np.convolve(a, v, mode)."""
    x, y = _line(expr(a)), _line(expr(v))
    full = apply("convolve", x, y)
    if mode == "full":
        return full
    n, m = size(x, 0), size(y, 0)
    short, long = apply("py_min", n, m), apply("py_max", n, m)
    if mode == "valid":
        return span_at(full, 0, short - 1, long)
    only("mode", mode, "full", "valid", "same")
    lo = (short - 1) // 2
    return span_at(full, 0, lo, lo + long)


@meaning(np.correlate)
def correlate(a: Any, v: Any, mode: str = "valid") -> Expr:
    """Return np.correlate(a, v, mode)."""
    y = flip(_line(expr(v)), 0)
    if mode == "same":
        raise unsupported("np.correlate(mode='same') is not supported", "slice the full correlation")
    return convolve(a, conj(y) if y.dtype.kind == "c" else y, mode)


@meaning(np.bincount)
def bincount(x: Any, /, weights: Any = None, minlength: Any = 0) -> Expr:
    """Return np.bincount(x, weights): linear in the weights."""
    index = expr(x)
    if index.ndim != 1 or index.dtype.kind not in "iu":
        raise TypeMismatch(
            "S325", "TypeError: np.bincount counts a vector of ints", "cast it with .astype(int)"
        )
    highest = apply("max", apply("concatenate", index, expr((-1,)), axis=0), axis=(0,), keepdims=False)
    n = apply("py_max", apply("to_int", highest) + 1, lift(minlength))
    index = where(apply("less", index, 0), n, index)  # raises: negative ints must not count from the end
    kind = np.dtype(np.int64 if weights is None else np.float64)
    ones = expr(1) if weights is None else cast(expr(weights), kind)
    if ones.ndim:
        ones = checked_sizes(ones, {0: size(index, 0)}, "The weights and list don't have the same length.")
    path = (Index((Fancy(),)),)
    return apply("accum", apply("zeros", n, dtype=kind), ones, index, path=path, at=True)


@meaning(np.cov, static="rowvar bias")
def cov(m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None) -> Expr:
    """Return np.cov(m) of a matrix."""
    x = expr(m)
    only("y", y, None)
    if x.ndim != 2 or x.dtype.kind == "c":
        raise unsupported("np.cov needs a real matrix", "use np.var for one variable")
    x = cast(x if rowvar else swap(x), np.dtype(np.float64))
    n = size(x, 1)
    x = x - mean(x, (1,), keepdims=True)
    lost = (0 if bias else 1) if ddof is None else ddof
    return matmul(x, swap(x)) * (1.0 / (n - lost))


@meaning(np.corrcoef, static="rowvar")
def corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Expr:
    """Return np.corrcoef(x) of a matrix."""
    c = cov(x, y, rowvar)
    d = sqrt(apply("diagonal", c))
    return apply("clip", c / expand(d, 1) / expand(d, 0), -1, 1)


@meaning(np.ldexp)
def ldexp(x1: Any, x2: Any, /) -> Expr:
    """Return np.ldexp(x1, x2)."""
    x, n = expr(x1), expr(x2)
    *_, found = resolved(np.ldexp, (x, n))
    return cast(x * apply("power", strong(literal(2.0)), n), found)


@meaning(getattr(np, "matvec", None))
def matvec(x1: Any, x2: Any, /) -> Expr:
    """Return np.matvec(x1, x2)."""
    a, b = expr(x1), expr(x2)
    return matmul(a, b) if b.ndim == 1 else take_at(matmul(a, expand(b, b.ndim)), b.ndim, 0)


@meaning(np.block)
def block(arrays: Any) -> Expr:
    """Return np.block(arrays)."""
    depth = _depth(arrays)
    rank = max(depth, _rank(arrays))

    def build(part: Any, level: int) -> Expr:
        if not isinstance(part, tuple | list):
            e = as_rank0(lift(part))
            lead = rank - e.ndim
            return e if not lead else expand(e, *range(lead)) if e.ndim else apply("reshape", e, *(1,) * rank)
        return join(tuple(build(p, level + 1) for p in part), rank - depth + level)

    return build(arrays, 0)


def _depth(part: Any) -> int:
    return 1 + max(map(_depth, part)) if isinstance(part, tuple | list) else 0


def _rank(part: Any) -> int:
    return max(map(_rank, part)) if isinstance(part, tuple | list) else lift(part).ndim
