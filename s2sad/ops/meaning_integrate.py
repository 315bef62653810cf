"""What calls of scipy.integrate of sampled functions mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.ir.path import Span
from s2sad.ops.call import expr, one_axis, strong, unsupported
from s2sad.ops.declare import literal_value
from s2sad.ops.expr import Expr, apply, lift
from s2sad.ops.functions import cast, concatenate, expand, item_at, literal, size, span_at, total
from s2sad.ops.meaning_numeric import trapezoids

FLOAT = np.dtype(np.float64)


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1) -> Expr:
    """Return scipy.integrate.trapezoid(y, x): in the precision of y."""
    f = strong(expr(y))
    k = one_axis(axis, f.ndim)
    return total(cast(trapezoids(f, x, dx, k), f.dtype if f.dtype.kind in "fc" else FLOAT), k)


def cumulative_trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1, initial: Any = None) -> Expr:
    """Return scipy.integrate.cumulative_trapezoid(y, x)."""
    f = strong(expr(y))
    k = one_axis(axis, f.ndim)
    sums = apply("cumsum", trapezoids(f, x, dx, k), axis=k)
    if initial is None:
        return sums
    if literal_value(lift(initial)) != 0:
        raise ValueError("`initial` must be `None` or `0`.")
    first = apply("zeros_like", span_at(f, k, hi=1), dtype=sums.dtype)
    return concatenate((first, sums), k)


def simpson(y: Any, x: Any = None, *, dx: Any = 1.0, axis: Any = -1) -> Expr:
    """Return scipy.integrate.simpson(y, x): parabolas through three points each. Where a last interval is
    left, by the parabola through the last three points (Cartwright, Simpson's rule cumulative integration
    with MS Excel and irregularly-spaced data, 2017), the trapezoid if there are but two."""
    f = strong(expr(y))
    k = one_axis(axis, f.ndim)
    n = size(f, k)
    known = literal_value(n)
    f0, f1, f2 = span_at(f, k, hi=-2), span_at(f, k, 1, -1), span_at(f, k, lo=2)
    if x is None:
        h = expr(dx)
        found = h / 3.0 * total(_every_other(f0 + 4.0 * f1 + f2, k), k)
        bend = h / 12.0 * (f2 - 2.0 * f1 + f0)
        if found.dtype != FLOAT and f.dtype.kind == "f" and (known is None or known % 2 == 0):
            raise unsupported("simpson of numbers that are not float64 needs x=", "use .astype(np.float64)")
    else:
        t = _points(x, f)
        j = 0 if t.ndim == 1 else k
        h = span_at(t, j, lo=1) - span_at(t, j, hi=-1)
        h = expand(h, *(i for i in range(f.ndim) if i != k)) if t.ndim == 1 else h
        a, b = span_at(h, k, hi=-1), span_at(h, k, lo=1)
        both = a + b
        areas = both / 6.0 * (f0 * (2.0 - b / a) + f1 * (both * both / (a * b)) + f2 * (2.0 - a / b))
        found = total(_every_other(areas, k), k)
        bend = b * b * b / (6.0 * both) * ((f2 - f1) / b - (f1 - f0) / a)
    if known is not None and known % 2:
        return found
    start = n - 2 + n % 2 if known is None else literal(known - 2)
    line = span_at(trapezoids(f, x, dx, k), k, start)  # of the last interval, empty if none is left
    return found + total(line, k) - total(span_at(bend, k, start - 1), k)


def _points(x: Any, f: Expr) -> Expr:
    t = cast(strong(expr(x)), FLOAT)
    if t.ndim not in (1, f.ndim):
        raise ValueError("If given, shape of x must be 1-D or the same as y.")
    return t


def _every_other(f: Expr, k: int) -> Expr:
    return item_at(f, k, Span(step=True), literal(2))


INTEGRATE = (trapezoid, cumulative_trapezoid, simpson)
