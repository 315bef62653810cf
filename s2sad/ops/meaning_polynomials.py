"""What calls of NumPy's functions of polynomials mean: coefficients, highest power first."""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.ops.call import as_rank0, expr, exprs, meaning, only, strong, unsupported
from s2sad.ops.declare import literal_value
from s2sad.ops.expr import Expr, apply, lift
from s2sad.ops.functions import (
    arange,
    cast,
    concatenate,
    expand,
    flip,
    size,
    span_at,
    sqrt,
    take_at,
    total,
)


@meaning(np.polyval)
def polyval(p: Any, x: Any) -> Expr:
    """Return np.polyval(p, x)."""
    t = expr(x)
    y: Expr = apply("zeros_like", as_rank0(t), dtype=None)
    kind = expr(p).dtype
    if isinstance(p, Expr) and p.ndim == 1 and not p.dims[0].is_const:
        return _horner(p, as_rank0(t))
    for c in exprs(p):
        y = y * t
        y = y + (c if y.dtype == np.promote_types(y.dtype, kind) else cast(c, kind))
    return y


def _horner(p: Expr, t: Expr) -> Expr:
    """As many steps of Horner's rule as there are coefficients."""
    kind = np.promote_types(p.dtype, t.dtype)
    start = expand(apply("zeros_like", t, dtype=kind), 0)
    steps = (size(p, 0), *(size(t, k) for k in range(t.ndim)))
    factors = apply("broadcast_to", cast(t, kind), *steps)
    added = cast(expand(p, *range(1, t.ndim + 1)) if t.ndim else p, kind)
    added = added if not t.ndim else apply("broadcast_to", added, *steps)
    found = apply("recurrence", concatenate((start, factors), 0), concatenate((start, added), 0), axis=0)
    return take_at(found, 0, -1)  # 0 without coefficients


@meaning(np.vander, static="increasing")
def vander(x: Any, N: Any = None, increasing: bool = False) -> Expr:
    """Return np.vander(x, N)."""
    t = expr(x)
    t = cast(t, np.promote_types(t.dtype, int))
    count = size(t, 0) if N is None else lift(N)
    n = literal_value(count)
    if n == 0:
        return apply("zeros", size(t, 0), 0, dtype=t.dtype)
    column = apply("ones_like", t, dtype=None)
    if n is None:
        powers = apply("broadcast_to", expand(t, 1), size(t, 0), apply("py_max", count - 1, 0))
        found = apply("cumprod", concatenate((expand(column, 1), powers), 1), axis=1)
        found = span_at(found, 1, hi=count)
        return found if increasing else flip(found, 1)
    columns = [column]
    for _ in range(n - 1):
        columns.append(columns[-1] * t)
    return apply("stack", *(columns if increasing else columns[::-1]), axis=1)


def _coefficients(p: Any) -> Expr:
    e = expr(p)
    return e if e.ndim else apply("reshape", strong(e), 1)


def _aligned(a: Any, b: Any) -> tuple[Expr, Expr]:
    """The coefficients of both, filled up with zeros at the high powers."""
    p, q = _coefficients(a), _coefficients(b)
    if p.dims == q.dims:
        return p, q
    n, m = size(p, 0), size(q, 0)
    wide = apply("py_max", n, m)
    return apply("pad", p, wide - n, 0), apply("pad", q, wide - m, 0)


@meaning(np.polyadd)
def polyadd(a1: Any, a2: Any) -> Expr:
    """Return np.polyadd(a1, a2)."""
    p, q = _aligned(a1, a2)
    return p + q


@meaning(np.polysub)
def polysub(a1: Any, a2: Any) -> Expr:
    """Return np.polysub(a1, a2)."""
    p, q = _aligned(a1, a2)
    return p - q


@meaning(np.polymul)
def polymul(a1: Any, a2: Any) -> Expr:
    """Refuse np.polymul: the length of its result is without the leading zeros that the arguments have."""
    raise unsupported(
        "np.polymul drops leading zeros, how many only a run tells", "write np.convolve(a1, a2)"
    )


def _order(m: Any) -> int:
    n = literal_value(lift(m))
    if not isinstance(n, int) or n < 0:
        raise unsupported("the order must be a number of the text, not negative", "write it out")
    return n


@meaning(np.polyder)
def polyder(p: Any, m: Any = 1) -> Expr:
    """Return np.polyder(p, m)."""
    e = _coefficients(p)
    for _ in range(_order(m)):
        e = span_at(e, 0, hi=-1) * arange(size(e, 0) - 1, 0, -1)
    return e


@meaning(np.polyint)
def polyint(p: Any, m: Any = 1, k: Any = None) -> Expr:
    """Return np.polyint(p, m, k): with constants 0, or those given."""
    e, n = _coefficients(p), _order(m)
    constants = (0.0,) * n if k is None else k if isinstance(k, tuple | list) else (k,) * n
    if len(constants) != n:
        raise ValueError("k must be a scalar or a rank-1 array of length 1 or >m.")
    for constant in constants:
        e = concatenate((e / arange(size(e, 0), 0, -1), apply("reshape", strong(expr(constant)), 1)), 0)
    return e


@meaning(np.polyfit, static="rcond full cov")
def polyfit(
    x: Any, y: Any, deg: Any, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False
) -> Expr:
    """Return np.polyfit(x, y, deg) of a degree that is written as a number."""
    only("rcond", rcond, None)
    only("full", full, False)
    only("cov", cov, False)
    left, right = vander(cast(strong(expr(x)), np.dtype(np.float64)), _order(deg) + 1), strong(expr(y))
    if w is not None:
        weights = expr(w)
        left = left * expand(weights, 1)
        right = right * (weights if right.ndim == 1 else expand(weights, 1))
    scale = sqrt(total(left * left, 0))
    found = apply("lstsq", left / scale, right)
    return found / (scale if right.ndim == 1 else expand(scale, 1))
