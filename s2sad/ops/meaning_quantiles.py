"""What calls of quantiles and medians mean: elements of the sorted array, and what lies between two.

The methods are those of Hyndman and Fan, Sample quantiles in statistical packages (1996).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.errors import TypeMismatch
from s2sad.ir.path import Fancy, Index
from s2sad.ops.call import expr, meaning, only, some_axes, strong
from s2sad.ops.declare import literal_value
from s2sad.ops.expr import Expr, apply
from s2sad.ops.functions import (
    arange,
    both,
    cast,
    count,
    expand,
    isnan,
    item_at,
    literal,
    logical_not,
    maximum,
    minimum,
    permute,
    reshape,
    size,
    take_at,
    where,
)
from s2sad.ops.meaning_elementwise import is_weak
from s2sad.ops.meaning_reduce import median

INT = np.dtype(np.int64)
BETWEEN = {  # the place of a quantile is n q + a + q (1 - a - b) - 1
    "interpolated_inverted_cdf": (0, 1),
    "hazen": (0.5, 0.5),
    "weibull": (0, 0),
    "median_unbiased": (1 / 3.0, 1 / 3.0),
    "normal_unbiased": (3 / 8.0, 3 / 8.0),
}
STEPS = {"averaged_inverted_cdf": (0.5, 1.0), "midpoint": (0.0, 0.5)}  # the weight at a place, and elsewhere
ELEMENTS = ("inverted_cdf", "closest_observation", "lower", "higher", "nearest")


@meaning(np.quantile)
def quantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: Any = False,
    method: str = "linear",
    keepdims: Any = False,
    *,
    weights: Any = None,
) -> Expr:
    """Return np.quantile(a, q)."""
    return _quantile(a, expr(q), axis, method, keepdims, weights)


@meaning(np.percentile)
def percentile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: Any = False,
    method: str = "linear",
    keepdims: Any = False,
    *,
    weights: Any = None,
) -> Expr:
    """Return np.percentile(a, q)."""
    return _quantile(a, _hundredth(expr(q)), axis, method, keepdims, weights)


@meaning(np.nanquantile)
def nanquantile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: Any = False,
    method: str = "linear",
    keepdims: Any = False,
    *,
    weights: Any = None,
) -> Expr:
    """Return np.nanquantile(a, q)."""
    return _quantile(a, expr(q), axis, method, keepdims, weights, skip=True)


@meaning(np.nanpercentile)
def nanpercentile(
    a: Any,
    q: Any,
    axis: Any = None,
    out: Any = None,
    overwrite_input: Any = False,
    method: str = "linear",
    keepdims: Any = False,
    *,
    weights: Any = None,
) -> Expr:
    """Return np.nanpercentile(a, q)."""
    return _quantile(a, _hundredth(expr(q)), axis, method, keepdims, weights, skip=True)


@meaning(np.nanmedian)
def nanmedian(
    a: Any, axis: Any = None, out: Any = None, overwrite_input: Any = False, keepdims: Any = False
) -> Expr:
    """Return np.nanmedian(a): nan where there is nothing else."""
    x = strong(expr(a))
    if x.dtype.kind not in "fc":
        return median(a, axis, None, False, keepdims)
    s = _sorted(x, axis)
    n = _there(s)
    below, above = (_element(s, i, n.is_array) for i in ((n - 1) // 2, n // 2))
    return _with_axes((below + above) / 2, x, axis, 0, keepdims)


def _hundredth(q: Expr) -> Expr:
    value = literal_value(q)
    return q / 100 if value is None else literal(value / 100)


def _sorted(x: Expr, axis: Any) -> Expr:
    """The sorted lines along the axes, as the first axis of the result."""
    axes = some_axes(axis, x.ndim)
    if axes is None:
        return apply("sort", x if x.ndim == 1 else reshape(x, -1), axis=0)
    rest = tuple(k for k in range(x.ndim) if k not in axes)
    if len(axes) == 1:
        return permute(apply("sort", x, axis=axes[0]), (*axes, *rest))
    lines = reshape(permute(x, (*axes, *rest)), count(x, axes), *(size(x, k) for k in rest))
    return apply("sort", lines, axis=0)


def _with_axes(y: Expr, x: Expr, axis: Any, lead: int, keepdims: Any) -> Expr:
    """The result, with the axes of x that it has lost behind its first `lead` ones."""
    if not keepdims:
        return y
    axes = some_axes(axis, x.ndim)
    y = y if y.is_array else apply("array0", y)
    return expand(y, *(lead + k for k in (range(x.ndim) if axes is None else axes)))


def _there(s: Expr) -> Expr:
    """How many elements of each line are no nan."""
    return apply("count_nonzero", logical_not(isnan(s)), axis=(0,), keepdims=False)


def _element(s: Expr, index: Expr, each: bool = False) -> Expr:
    """The elements of the lines at `index`, which is another one for each line if `each`."""
    if not each:
        return item_at(s, 0, Fancy(), index) if index.is_array else take_at(s, 0, index)
    grids = [
        expand(arange(0, size(s, k), 1, dtype=None), *(j for j in range(s.ndim - 1) if j != k - 1))
        for k in range(1, s.ndim)
    ]
    return apply("getitem", s, index, *grids, path=(Index((Fancy(),) * s.ndim),))


def _in_range(i: Expr, q: Expr, n: Expr) -> Expr:
    """The index, or one that raises where q is not a fraction."""
    value = literal_value(q)
    if value is None:
        return where(apply("bitwise_or", q < 0, q > 1), n, i)
    if not 0 <= value <= 1:
        raise ValueError("Quantiles must be in the range [0, 1]")
    return i


def _int(x: Expr) -> Expr:
    return apply("to_int", x) if is_weak(x) else cast(x, INT)


def _round(op: str, x: Expr) -> Expr:
    return x if x.dtype.kind in "iu" else apply(op, x)


def _which(method: str, n: Expr, q: Expr) -> Expr:
    """The index of the element that a method chooses."""
    match method:
        case "inverted_cdf":
            return maximum(_int(apply("ceil", n * q - 1)), 0)
        case "closest_observation":
            place = n * q - 1 - 0.5
            before = apply("floor", place)
            stays = both(place.eq(before), (before % 2).eq(1))
            return maximum(_int(where(stays, before, before + 1)), 0)
        case "lower":
            return _int(_round("floor", (n - 1) * q))
        case "higher":
            return _int(_round("ceil", (n - 1) * q))
    return _int(_round("rint", (n - 1) * q))


def _place(method: str, n: Expr, q: Expr) -> Expr:
    """Where between the sorted elements, counted from 0, the quantile lies."""
    if method == "linear":
        return (n - 1) * q
    if method == "midpoint":
        place = (n - 1) * q
        return 0.5 * (apply("floor", place) + apply("ceil", place))
    if method == "averaged_inverted_cdf":
        return n * q - 1
    a, b = BETWEEN[method]
    return n * q + (a + q * (1 - a - b)) - 1


def _quantile(
    a: Any, q: Expr, axis: Any, method: str, keepdims: Any, weights: Any, skip: bool = False
) -> Expr:
    x = strong(expr(a))
    if "c" in (x.dtype.kind, q.dtype.kind):
        raise TypeMismatch("S325", "TypeError: a must be an array of real numbers")
    if method not in ("linear", *BETWEEN, *STEPS, *ELEMENTS):
        raise ValueError(f"{method!r} is not a valid method.")
    only("weights", weights, None)
    if q.ndim > 2:
        raise ValueError("q must be a scalar or 1d")
    s = _sorted(x, axis)
    lanes = s.ndim - 1
    last = take_at(s, 0, -1)
    n = size(s, 0)
    places = q
    if skip and x.dtype.kind == "f":
        n = _there(s)
        places = expand(q, *range(q.ndim, q.ndim + lanes)) if q.ndim else q
    if method in ELEMENTS:
        y = _element(s, _in_range(_which(method, n, places), places, size(s, 0)), n.is_array)
    else:
        y = _between(s, n, places, method, lanes)
    if not skip and s.dtype.kind == "f":
        y = where(isnan(last), apply("stop_gradient", last), y)
    return _with_axes(y, x, axis, q.ndim, keepdims)


def _between(s: Expr, n: Expr, q: Expr, method: str, lanes: int) -> Expr:
    place = _place(method, n, q)
    i = _int(place if method == "linear" and is_weak(place) else apply("floor", place))
    t = place - i
    if method in STEPS:
        at, elsewhere = STEPS[method]
        t = where(t.eq(0), at, elsewhere)
    next_ = minimum(i + 1, n - 1)
    if method not in ("linear", "midpoint"):  # these may lie before the first element, or behind the last
        i, next_ = minimum(maximum(i, 0), n - 1), maximum(next_, 0)
    i = _in_range(i, q, size(s, 0))
    a, b = (_element(s, j, n.is_array) for j in (i, next_))
    if t.ndim and not n.is_array:
        t = expand(t, *range(t.ndim, t.ndim + lanes))
    elif is_weak(q) and s.dtype.kind == "f" and s.dtype != t.dtype and not is_weak(t):
        up, gap = cast(1 - t, s.dtype), b - a  # for each line NumPy has a Python number here
        return where(t >= 0.5, b - gap * up, a + gap * cast(t, s.dtype))
    return apply("between", a, b, t)
