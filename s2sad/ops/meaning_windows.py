"""What calls of windows, np.i0 and np.geomspace mean."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from s2sad.ir.path import At, Index, Span
from s2sad.ops.call import as_rank0, dtype_of, expr, meaning, one_axis, strong, unsupported
from s2sad.ops.declare import literal_value
from s2sad.ops.expr import Expr, apply, lift
from s2sad.ops.functions import arange, cast, cos, ones, power, sqrt, where

F8 = np.dtype(np.float64)


def _grid(M: Any) -> tuple[Expr, Expr]:
    """The numbers 1 - M, 3 - M, ..., M - 1, and what the last one is, at least 1."""
    m = lift(M)
    known = literal_value(m)
    if m.dtype.kind not in "iu" or m.ndim:
        raise unsupported("the length of a window must be an int", "convert it with int()")
    last = lift(max(known - 1, 1)) if isinstance(known, int) else apply("py_max", m - 1, 1)
    low = lift(1 - known) if isinstance(known, int) else 1 - m
    return arange(low, m, 2, dtype=F8), last


@meaning(np.hamming)
def hamming(M: Any) -> Expr:
    """Return np.hamming(M)."""
    n, last = _grid(M)
    return 0.54 + 0.46 * cos(math.pi * n / last)


@meaning(np.hanning)
def hanning(M: Any) -> Expr:
    """Return np.hanning(M)."""
    n, last = _grid(M)
    return 0.5 + 0.5 * cos(math.pi * n / last)


@meaning(np.blackman)
def blackman(M: Any) -> Expr:
    """Return np.blackman(M)."""
    if literal_value(lift(M)) == 1:
        return ones(1, dtype=F8)  # the sum of the three is a little less
    n, last = _grid(M)
    return 0.42 + 0.5 * cos(math.pi * n / last) + 0.08 * cos(2.0 * math.pi * n / last)


@meaning(np.bartlett)
def bartlett(M: Any) -> Expr:
    """Return np.bartlett(M)."""
    n, last = _grid(M)
    return where(n <= 0, 1 + n / last, 1 - n / last)


@meaning(np.kaiser)
def kaiser(M: Any, beta: Any) -> Expr:
    """Return np.kaiser(M, beta)."""
    n, last = _grid(M)
    b = cast(expr(beta), F8)
    share = n / last
    return i0(b * sqrt(1 - share * share)) / i0(b)


@meaning(np.i0)
def i0(x: Any) -> Expr:
    """Return np.i0(x)."""
    a = expr(x)
    if a.dtype.kind == "c":
        raise TypeError("i0 not supported for complex values")
    return apply("i0", as_rank0(a if a.dtype.kind == "f" else cast(a, F8)))


def progression(*args: Any) -> Any:
    """Stand for np.geomspace between numbers that are not 0, in the program that has looked."""
    return np.geomspace(*args)


@meaning(np.geomspace, progression)
def geomspace(
    start: Any, stop: Any, num: Any = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Expr:
    """Return np.geomspace(start, stop, num) between real numbers."""
    first, last, n = strong(expr(start)), strong(expr(stop)), lift(num)
    if first.ndim or last.ndim or "c" in (first.dtype.kind, last.dtype.kind):
        raise unsupported("np.geomspace between arrays or complex numbers is not supported", "use a loop")
    one_axis(axis, 1)
    if 0 in (literal_value(expr(start)), literal_value(expr(stop))):
        raise ValueError("Geometric sequence cannot include zero")
    kind = np.result_type(first.dtype, last.dtype, np.float64)
    first, last = cast(first, kind), cast(last, kind)
    sign = apply("sign", first)
    first, last = first / sign, last / sign
    low, high = apply("log10", first), apply("log10", last)
    y = power(10.0, apply("linspace", low, high, n, endpoint=bool(endpoint), dtype=None))
    y = _exact_ends(y, first, last, n, endpoint) * sign
    return y if dtype is None else cast(y, dtype_of(dtype))


def _exact_ends(y: Expr, first: Expr, last: Expr, n: Expr, endpoint: bool) -> Expr:
    known = literal_value(n)
    if isinstance(known, int):
        at = (Index((At(),)),)
        y = apply("setitem", y, first, 0, path=at) if known > 0 else y
        return apply("setitem", y, last, -1, path=at) if known > 1 and endpoint else y
    y = apply("setitem", y, first, 1, path=(Index((Span(False, True),)),))
    if not endpoint:
        return y
    return apply("setitem", y, last, apply("py_max", n - 1, 1), path=(Index((Span(True, False),)),))
