"""What calls of numerical recipes mean: differences, interpolation, nan-aware reductions, convolution,
covariance."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from s2sad.errors import TypeMismatch
from s2sad.ir.path import Fancy, Index
from s2sad.ir.size import Size
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
)
from s2sad.ops.expr import Expr, apply, lift
from s2sad.ops.functions import (
    cast,
    concatenate,
    conj,
    expand,
    flip,
    imag,
    isnan,
    item_at,
    literal,
    logical_not,
    matmul,
    mean,
    real,
    reshape,
    size,
    span_at,
    sqrt,
    swap,
    take_at,
    total,
    where,
)
from s2sad.ops.meaning_elementwise import resolved
from s2sad.ops.meaning_reduce import along_axis, masked_var, reduce_, root_of_var, without_nan
from s2sad.ops.meaning_shape import join

# --- differences and integrals ------------------------------------------------------------------


@meaning(getattr(np, "trapezoid", None))
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1) -> Expr:
    """Return np.trapezoid(y, x)."""
    f = strong(expr(y))
    k = one_axis(axis, f.ndim)
    return total(trapezoids(f, x, dx, k), k)


def trapezoids(f: Expr, x: Any, dx: Any, k: int) -> Expr:
    """Return the areas under the lines between neighbours along axis k."""
    if x is None:
        d = expr(dx)
    else:
        t = expr(x)
        j = 0 if t.ndim == 1 else k
        d = span_at(t, j, lo=1) - span_at(t, j, hi=-1)
        if t.ndim == 1:
            d = expand(d, *(i for i in range(f.ndim) if i != k))
    return d * (span_at(f, k, lo=1) + span_at(f, k, hi=-1)) / 2.0


@meaning(np.gradient, static="edge_order")
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1) -> Any:
    """Return np.gradient(f), of even or of given spacing."""
    x = _floats(strong(expr(f)))
    only("edge_order", edge_order, 1, 2)
    axes = some_axes(axis, x.ndim)
    places = tuple(range(x.ndim)) if axes is None else axes
    steps = tuple(expr(v) for v in varargs) or (literal(1.0),)
    steps = steps * len(places) if len(steps) == 1 else steps
    if len(steps) != len(places):
        raise TypeError("invalid number of arguments")
    out = tuple(
        (_uneven if h.ndim else _central)(x, k, h, edge_order) for k, h in zip(places, steps, strict=True)
    )
    out = tuple(e if e.dtype == x.dtype else apply("cast", e, dtype=x.dtype) for e in out)
    return out[0] if len(out) == 1 else out


def _floats(x: Expr) -> Expr:
    """Integers as floats: their differences could overflow."""
    return apply("cast", x, dtype=np.dtype(np.float64)) if x.dtype.kind in "iu" else x


def _central(x: Expr, k: int, h: Expr, order: int) -> Expr:
    middle = (span_at(x, k, lo=2) - span_at(x, k, hi=-2)) / (2.0 * h)
    if order == 1:
        first = (take_at(x, k, 1) - take_at(x, k, 0)) / h
        last = (take_at(x, k, -1) - take_at(x, k, -2)) / h
    else:
        first = -1.5 / h * take_at(x, k, 0) + 2.0 / h * take_at(x, k, 1) + -0.5 / h * take_at(x, k, 2)
        last = 0.5 / h * take_at(x, k, -3) + -2.0 / h * take_at(x, k, -2) + 1.5 / h * take_at(x, k, -1)
    return _between(first, middle, last, k)


def _between(first: Expr, middle: Expr, last: Expr, k: int) -> Expr:
    ends = [expand(as_rank0(e), k) for e in (first, last)]
    return concatenate((ends[0], middle, ends[1]), k)


def _uneven(x: Expr, k: int, t: Expr, order: int) -> Expr:
    """Second-order differences for coordinates t: those of the parabola through three points."""
    if t.ndim != 1:
        raise ValueError("distances must be either scalars or 1d")
    t = _floats(t)
    t = checked_sizes(t, {0: size(x, k)}, "when 1d, distances must match the length of the dimension")
    d = span_at(t, 0, lo=1) - span_at(t, 0, hi=-1)
    before, after = (
        expand(e, *range(1, x.ndim - k)) if k < x.ndim - 1 else e
        for e in (span_at(d, 0, hi=-1), span_at(d, 0, lo=1))
    )
    middle = (
        -after / (before * (before + after)) * span_at(x, k, hi=-2)
        + (after - before) / (before * after) * span_at(x, k, lo=1, hi=-1)
        + before / (after * (before + after)) * span_at(x, k, lo=2)
    )
    if order == 1:
        first = (take_at(x, k, 1) - take_at(x, k, 0)) / take_at(d, 0, 0)
        last = (take_at(x, k, -1) - take_at(x, k, -2)) / take_at(d, 0, -1)
        return _between(first, middle, last, k)
    first, last = (_edge(x, k, d, at) for at in ((0, 1, 2, 0, 1), (-1, -2, -3, -1, -2)))
    return _between(first, middle, -last, k)


def _edge(x: Expr, k: int, d: Expr, at: tuple[int, ...]) -> Expr:
    """The derivative at the first of three points, read inwards."""
    a, b, c = (take_at(x, k, j) for j in at[:3])
    u, v = (take_at(d, 0, j) for j in at[3:])
    return -(2.0 * u + v) / (u * (u + v)) * a + (u + v) / (u * v) * b - u / (v * (u + v)) * c


@meaning(np.ediff1d)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Expr:
    """Return np.ediff1d(ary)."""
    x, _ = along_axis(expr(ary), None)
    begin, end = (e if e is None else _line(cast_as(expr(e), x.dtype)) for e in (to_begin, to_end))
    parts = (begin, span_at(x, 0, lo=1) - span_at(x, 0, hi=-1), end)
    return join(tuple(p for p in parts if p is not None), 0)


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
    if x.dtype.kind not in "fc":
        return reduce_(op, x, axis, keepdims)
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
    return masked_var(x, logical_not(isnan(x)), axis, ddof, keepdims)


@meaning(np.nanstd)
def nanstd(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: Any = 0, keepdims: Any = False
) -> Expr:
    """Return np.nanstd(a)."""
    return root_of_var(nanvar(a, axis, dtype, None, ddof, keepdims))


@meaning(np.nancumsum)
def nancumsum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Expr:
    """Return np.nancumsum(a)."""
    x, k = along_axis(strong(expr(a, dtype_of(dtype))), axis)
    return apply("cumsum", without_nan(x, 0.0), axis=k)


@meaning(np.nancumprod)
def nancumprod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Expr:
    """Return np.nancumprod(a)."""
    x, k = along_axis(strong(expr(a, dtype_of(dtype))), axis)
    return apply("cumprod", without_nan(x, 1.0), axis=k)


# --- convolution, polynomials, covariance -------------------------------------------------------


def _vector(e: Expr) -> Expr:
    if e.ndim > 1:
        raise TypeMismatch("S325", "ValueError: object too deep for desired array", "pass vectors")
    return _line(e)


@meaning(np.convolve)
def convolve(a: Any, v: Any, mode: str = "full") -> Expr:
    """Return np.convolve(a, v, mode)."""
    x, y = _vector(expr(a)), _vector(expr(v))
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
    y = flip(_vector(expr(v)), 0)
    y = conj(y) if y.dtype.kind == "c" else y
    if mode != "same":
        return convolve(a, y, mode)
    x = _vector(expr(a))
    n, m = size(x, 0), size(y, 0)
    short, long = apply("py_min", n, m), apply("py_max", n, m)
    lo = (short - apply("to_int", apply("greater_equal", n, m))) // 2
    return span_at(apply("convolve", x, y), 0, lo, lo + long)


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
    """Return np.cov(m, y)."""
    x = _variables(expr(m), rowvar)
    if y is not None:
        x = concatenate((x, _variables(expr(y), rowvar)), 0)
    n = size(x, 1)
    x = x - mean(x, (1,), keepdims=True)
    lost = (0 if bias else 1) if ddof is None else ddof
    freedom = cast(apply("py_max", n - lost, 0), np.dtype(np.float64))
    found = matmul(x, swap(conj(x) if x.dtype.kind == "c" else x)) * (1.0 / freedom)
    if y is None and (expr(m).ndim < 2 or x.dims[0] == Size.of(1)):
        return as_rank0(take_at(take_at(found, 0, 0), 0, 0))
    if y is None and not x.dims[0].is_const:  # of one row NumPy makes an array of rank 0
        rows = size(x, 0) * (1 // apply("to_int", size(x, 0).ne(1)))
        return reshape(found, rows, rows)
    return found


def _variables(x: Expr, rowvar: bool) -> Expr:
    """The observations of variables, one per row."""
    if x.ndim > 2:
        raise ValueError("m has more than 2 dimensions")
    x = cast(x, np.promote_types(x.dtype, np.float64))
    if x.ndim < 2:
        return expand(as_rank0(x) if x.ndim else apply("reshape", x, 1), 0)
    return x if rowvar else swap(x)


@meaning(np.corrcoef, static="rowvar")
def corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Expr:
    """Return np.corrcoef(x, y)."""
    c = cov(x, y, rowvar)
    if not c.ndim:
        return c / c
    d = apply("diagonal", c)
    d = sqrt(real(d) if c.dtype.kind == "c" else d)
    y = c / expand(d, 1) / expand(d, 0)
    if c.dtype.kind != "c":
        return apply("clip", y, -1, 1)
    return apply("clip", real(y), -1, 1) + 1j * apply("clip", imag(y), -1, 1)


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
