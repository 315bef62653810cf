"""What calls of sets, of bins and of histograms mean: sorted elements, and where they change."""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.ir.path import Fancy, Index, Span
from s2sad.ops.call import checked_sizes, expr, meaning, only, strong, unsupported
from s2sad.ops.declare import literal_value
from s2sad.ops.expr import Expr, apply, lift
from s2sad.ops.functions import (
    both,
    cast,
    concatenate,
    cumsum,
    either,
    isnan,
    item_at,
    logical_not,
    ones,
    reshape,
    size,
    span_at,
    take_at,
    total,
    where,
    zeros,
)
from s2sad.ops.meaning_indices import result_type

BOOL, INT = np.dtype(bool), np.dtype(np.int64)
UniqueAll: Any = type(np.unique_all(np.zeros(1)))
UniqueCounts: Any = type(np.unique_counts(np.zeros(1)))
UniqueInverse: Any = type(np.unique_inverse(np.zeros(1)))


def _flat(x: Any) -> Expr:
    e = strong(expr(x))
    return e if e.ndim == 1 else reshape(e, -1)


def _picked(x: Expr, mask: Expr) -> Expr:
    return item_at(x, 0, Fancy(mask=True), mask)


def _pairs(s: Expr) -> tuple[Expr, Expr]:
    return span_at(s, 0, lo=1), span_at(s, 0, hi=-1)


# --- unique elements ----------------------------------------------------------------------------


def _starts(s: Expr, equal_nan: bool) -> Expr:
    """True for each sorted element that differs from the one before."""
    after, before = _pairs(s)
    differ = after.ne(before)
    if equal_nan and s.dtype.kind in "fc":
        differ = both(differ, logical_not(both(isnan(after), isnan(before))))
    first = ones(size(s, 0), dtype=BOOL)
    return apply("setitem", first, differ, 1, path=(Index((Span(True, False),)),))


def _inverse(starts: Expr, order: Expr) -> Expr:
    number = cumsum(cast(starts, INT), 0) - 1
    return apply("setitem", apply("zeros_like", order, dtype=None), number, order, path=(Index((Fancy(),)),))


def _counts(starts: Expr) -> Expr:
    ends = concatenate((apply("flatnonzero", starts), reshape(cast(size(starts, 0), INT), 1)), 0)
    after, before = _pairs(ends)
    return after - before


def _unique(
    ar: Any, index: bool, inverse: bool, counts: bool, equal_nan: bool = True
) -> tuple[Expr | None, ...]:
    x = _flat(ar)
    if x.dtype.kind == "c":
        raise unsupported("unique complex numbers are not supported", "make them of real and imaginary parts")
    if not (index or inverse):
        s = apply("sort", x, axis=0)
        starts = _starts(s, equal_nan)
        return _picked(s, starts), None, None, _counts(starts) if counts else None
    order = apply("argsort", x, axis=0, kind="stable")
    s = item_at(x, 0, Fancy(), order)
    starts = _starts(s, equal_nan)
    return (
        _picked(s, starts),
        _picked(order, starts) if index else None,
        _inverse(starts, order) if inverse else None,
        _counts(starts) if counts else None,
    )


def _in_shape(inverse: Expr | None, ar: Any) -> Expr | None:
    x = expr(ar)
    if inverse is None or x.ndim == 1:
        return inverse
    return apply("reshape_like", inverse, x) if x.ndim else reshape(inverse)


@meaning(np.unique, static="return_index return_inverse return_counts equal_nan sorted")
def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: Any = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    """Return np.unique(ar): the elements keep their derivative."""
    only("axis", axis, None)
    only("sorted", sorted, True)
    parts = _unique(ar, return_index, return_inverse, return_counts, equal_nan)
    values, index, inverse, counts = parts
    found = tuple(e for e in (values, index, _in_shape(inverse, ar), counts) if e is not None)
    return found[0] if len(found) == 1 else found


@meaning(np.unique_values)
def unique_values(x: Any) -> Any:
    """Refuse np.unique_values: NumPy does not say in which order the elements come."""
    raise unsupported("the order of np.unique_values is not defined", "write np.unique(x)")


@meaning(np.unique_counts)
def unique_counts(x: Any) -> Any:
    """Return np.unique_counts(x)."""
    values, _, _, counts = _unique(x, False, False, True, equal_nan=False)
    return UniqueCounts(values, counts)


@meaning(np.unique_inverse)
def unique_inverse(x: Any) -> Any:
    """Return np.unique_inverse(x)."""
    values, _, inverse, _ = _unique(x, False, True, False, equal_nan=False)
    return UniqueInverse(values, _in_shape(inverse, x))


@meaning(np.unique_all)
def unique_all(x: Any) -> Any:
    """Return np.unique_all(x)."""
    values, index, inverse, counts = _unique(x, True, True, True, equal_nan=False)
    return UniqueAll(values, index, _in_shape(inverse, x), counts)


# --- sets ---------------------------------------------------------------------------------------


def _values(x: Any) -> Expr:
    found = _unique(x, False, False, False)[0]
    assert found is not None
    return found


def _set(x: Any, assume_unique: Any) -> Expr:
    return _flat(x) if assume_unique else _values(x)


@meaning(np.union1d)
def union1d(ar1: Any, ar2: Any) -> Expr:
    """Return np.union1d(ar1, ar2)."""
    return _values(concatenate((_flat(ar1), _flat(ar2)), 0))


@meaning(np.intersect1d, static="assume_unique return_indices")
def intersect1d(ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False) -> Expr:
    """Return np.intersect1d(ar1, ar2)."""
    only("return_indices", return_indices, False)
    both_ = concatenate((_set(ar1, assume_unique), _set(ar2, assume_unique)), 0)
    after, before = _pairs(apply("sort", both_, axis=0))
    return _picked(before, after.eq(before))


@meaning(np.setdiff1d, static="assume_unique")
def setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Expr:
    """Return np.setdiff1d(ar1, ar2)."""
    x = _set(ar1, assume_unique)
    return _picked(x, logical_not(apply("isin", x, _flat(ar2))))


@meaning(np.setxor1d, static="assume_unique")
def setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Expr:
    """Return np.setxor1d(ar1, ar2)."""
    both_ = concatenate((_set(ar1, assume_unique), _set(ar2, assume_unique)), 0)
    s = apply("sort", both_, axis=0)
    after, before = _pairs(s)
    differ = after.ne(before)
    ends = ones(size(s, 0), dtype=BOOL)
    starts = apply("setitem", ends, differ, 1, path=(Index((Span(True, False),)),))
    stops = apply("setitem", ends, differ, -1, path=(Index((Span(False, True),)),))
    return _picked(s, both(starts, stops))


@meaning(np.isin, static="assume_unique invert")
def isin(
    element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False, *, kind: Any = None
) -> Expr:
    """Return np.isin(element, test_elements)."""
    found = apply("isin", expr(element), _flat(test_elements))
    return logical_not(found) if invert else found


# --- bins ---------------------------------------------------------------------------------------


@meaning(np.digitize, static="right")
def digitize(x: Any, bins: Any, right: bool = False) -> Expr:
    """Return np.digitize(x, bins)."""
    v, edges = expr(x), expr(bins)
    if "c" in (v.dtype.kind, edges.dtype.kind):
        raise TypeError("x may not be complex")
    return apply("digitize", v, edges, **({"right": True} if right else {}))


def _edges(x: Expr, bins: Any, span: Any) -> Expr:
    b = expr(bins) if not isinstance(bins, str) else None
    if b is None:
        raise unsupported("a rule for the number of bins is not supported", "give the number, or the edges")
    if b.ndim:
        return b
    if span is None:
        low, high = (apply(op, x, axis=None, keepdims=False) for op in ("min", "max"))
    else:
        low, high = (expr(e) for e in span)
    kind = result_type(low, high, x)
    kind = kind if kind.kind == "f" else np.dtype(np.float64)
    low, high = cast(low, kind), cast(high, kind)
    same = low.eq(high)
    low, high = where(same, low - 0.5, low), where(same, high + 0.5, high)
    n = literal_value(b)
    count = lift(n + 1) if isinstance(n, int) else b + 1
    return apply("linspace", low, high, count, endpoint=True, dtype=kind)


@meaning(np.histogram_bin_edges)
def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Expr:
    """Return np.histogram_bin_edges(a, bins)."""
    return _edges(_flat(a), bins, range)


@meaning(np.histogram, static="density")
def histogram(
    a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple[Expr, Expr]:
    """Return np.histogram(a, bins): linear in the weights."""
    x = _flat(a)
    if x.dtype.kind == "c":
        raise unsupported("a histogram of complex numbers is not supported", "take the real part")
    edges = _edges(x, bins, range)
    n = lift(edges.dims[0].const - 1) if edges.dims[0].is_const else size(edges, 0) - 1
    last = take_at(edges, 0, -1)
    found = apply("searchsorted", edges, x, side="right")
    bin_ = where(x.eq(last), n, found) - 1
    after, before = _pairs(edges)
    wrong = apply(
        "any", either(after < before, either(isnan(after), isnan(before))), axis=None, keepdims=False
    )
    inside = both(x >= take_at(edges, 0, 0), x <= last)
    bin_ = where(wrong, n, where(inside, bin_, 0))
    kind = INT if weights is None else expr(weights).dtype
    height: Expr = lift(1)
    if weights is not None:
        height = checked_sizes(_flat(weights), {0: size(x, 0)}, "weights should have the same shape as a.")
    height = where(inside, height, 0)
    counts = apply("accum", zeros(n, dtype=kind), height, bin_, path=(Index((Fancy(),)),), at=True)
    if density:
        counts = counts / (after - before) / total(counts)
    return counts, edges
