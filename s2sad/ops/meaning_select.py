"""What calls that pick, move, sort and search elements mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.ir.path import At, Fancy, Index, Item, Span
from s2sad.ir.types import BOOL, INT
from s2sad.ops.call import (
    METHODS,
    checked_sizes,
    dims,
    expr,
    make_call,
    meaning,
    one_axis,
    only,
    strong,
    unsupported,
    whole,
)
from s2sad.ops.declare import literal_value
from s2sad.ops.expr import Expr, apply, apply_all, lift
from s2sad.ops.functions import (
    arange,
    cast,
    copy,
    expand,
    full,
    item_at,
    literal,
    permute,
    reshape,
    reshape_like,
    size,
)
from s2sad.ops.meaning_reduce import along_axis
from s2sad.ops.rearrange import along

# --- picking ------------------------------------------------------------------------------------


@meaning(np.take)
def take(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: str = "raise") -> Expr:
    """Return np.take(a, indices, axis)."""
    x, index = expr(a), expr(indices)
    x, k = along_axis(x, axis)
    if index.dtype == BOOL:
        index = cast(index, INT)  # numbers, no mask
    if mode != "raise":
        index = whole(index)
    if mode == "wrap":
        index = index % size(x, k)
    elif mode == "clip":
        index = apply("clip", index, 0, size(x, k) - 1)
    else:
        only("mode", mode, "raise")
    if index.is_array:
        return item_at(x, k, Fancy(), index)
    part = item_at(x, k, At(), index)
    return copy(part) if part.is_array else part  # no view, unlike x[index]


METHODS["take"] = make_call("take", take)


@meaning(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Expr:
    """Return np.take_along_axis(arr, indices, axis)."""
    x, k = along_axis(expr(arr), axis)
    path, operands = along(x, expr(indices), k)
    return apply("getitem", x, *operands, path=path)


@meaning(np.compress)
def compress(condition: Any, a: Any, axis: Any = None, out: Any = None) -> Expr:
    """Return np.compress(condition, a, axis)."""
    x, k = along_axis(expr(a), axis)
    return item_at(x, k, Fancy(), apply("flatnonzero", expr(condition)))


@meaning(np.extract)
def extract(condition: Any, arr: Any) -> Expr:
    """Return np.extract(condition, arr)."""
    x, c = (e if e.ndim == 1 else reshape(e, -1) for e in (expr(arr), expr(condition)))
    return item_at(x, 0, Fancy(), apply("flatnonzero", c))


@meaning(np.ix_)
def ix_(*args: Any) -> tuple[Expr, ...]:
    """Return np.ix_(*args)."""
    xs = [expr(x) for x in args]
    xs = [apply("flatnonzero", x) if x.dtype.kind == "b" else x for x in xs]
    return tuple(expand(x, *(j for j in range(len(xs)) if j != k)) for k, x in enumerate(xs))


@meaning(np.nonzero, method="nonzero")
def nonzero(a: Any) -> tuple[Expr, ...]:
    """Return np.nonzero(a)."""
    x = expr(a)
    match x.ndim:
        case 1:
            return (apply("flatnonzero", x),)
        case 2 | 3:
            return apply_all(f"nonzero{x.ndim}", x)
        case _:
            raise unsupported(f"np.nonzero of rank {x.ndim} is not supported", "flatten the array")


@meaning(np.flatnonzero)
def flatnonzero(a: Any) -> Expr:
    """Return np.flatnonzero(a)."""
    return apply("flatnonzero", expr(a))


@meaning(np.argwhere)
def argwhere(a: Any) -> Expr:
    """Return np.argwhere(a)."""
    return apply("argwhere", expr(a))


@meaning(np.triu_indices, static="k")
def triu_indices(n: Any, k: int = 0, m: Any = None) -> tuple[Expr, ...]:
    """Return np.triu_indices(n, k, m)."""
    return apply_all("triu_indices", n, n if m is None else m, k=k)


@meaning(np.tril_indices, static="k")
def tril_indices(n: Any, k: int = 0, m: Any = None) -> tuple[Expr, ...]:
    """Return np.tril_indices(n, k, m)."""
    return apply_all("tril_indices", n, n if m is None else m, k=k)


@meaning(np.triu_indices_from, static="k")
def triu_indices_from(arr: Any, k: int = 0) -> tuple[Expr, ...]:
    """Return np.triu_indices_from(arr, k)."""
    return _of_matrix("triu_indices", arr, k)


@meaning(np.tril_indices_from, static="k")
def tril_indices_from(arr: Any, k: int = 0) -> tuple[Expr, ...]:
    """Return np.tril_indices_from(arr, k)."""
    return _of_matrix("tril_indices", arr, k)


def _of_matrix(op: str, arr: Any, k: int) -> tuple[Expr, ...]:
    x = expr(arr)
    if x.ndim != 2:
        raise ValueError("input array must be 2-d")
    return apply_all(op, size(x, 0), size(x, 1), k=k)


@meaning(np.diag_indices)
def diag_indices(n: Any, ndim: int = 2) -> tuple[Expr, ...]:
    """Return np.diag_indices(n)."""
    index = arange(0, n, 1, dtype=None)
    return (index,) * (literal_value(lift(ndim)) or 2)


# --- sorting and searching ----------------------------------------------------------------------


def _kind(kind: Any, stable: Any) -> dict[str, Any]:
    kind = "stable" if stable else kind
    return {"kind": kind} if kind not in (None, "quicksort") else {}


@meaning(np.sort)
def sort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Expr:
    """Return np.sort(a, axis)."""
    x, k = along_axis(expr(a), axis)
    return apply("sort", x, axis=k)


@meaning(np.argsort, method="argsort")
def argsort(a: Any, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Expr:
    """Return np.argsort(a, axis)."""
    x, k = along_axis(expr(a), axis)
    return apply("argsort", x, axis=k, **_kind(kind, stable))


@meaning(np.searchsorted, method="searchsorted")
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Expr:
    """Return np.searchsorted(a, v, side)."""
    x = expr(a)
    if sorter is not None:
        x = item_at(x, 0, Fancy(), expr(sorter))
    return apply("searchsorted", x, expr(v), **({"side": side} if side != "left" else {}))


# --- moving -------------------------------------------------------------------------------------


@meaning(np.roll)
def roll(a: Any, shift: Any, axis: Any = None) -> Expr:
    """Return np.roll(a, shift, axis)."""
    x = expr(a)
    if axis is None:
        if isinstance(shift, tuple | list):
            raise unsupported("np.roll by several shifts needs as many axes", "name the axes")
        if x.ndim == 1:
            return apply("roll", x, whole(shift), axis=0)
        return reshape_like(apply("roll", reshape(x, -1), whole(shift), axis=0), x)
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    shifts = shift if isinstance(shift, tuple | list) else (shift,) * len(axes)
    for s, k in zip(shifts, axes, strict=True):
        x = apply("roll", x, whole(s), axis=one_axis(k, x.ndim))
    return x


@meaning(np.repeat)
def repeat(a: Any, repeats: Any, axis: Any = None) -> Expr:
    """Return np.repeat(a, repeats, axis)."""
    x = expr(a)
    x, k = along_axis(x if x.ndim else reshape(x, 1), axis)
    return apply("repeat", x, whole(expr(repeats)), axis=k)


METHODS["repeat"] = make_call("repeat", repeat)


@meaning(np.tile)
def tile(A: Any, reps: Any) -> Expr:
    """Return np.tile(A, reps)."""
    x = strong(expr(A))
    return apply("tile", x if x.ndim else reshape(x, 1), *dims(reps))


# --- padding ------------------------------------------------------------------------------------


@meaning(np.pad)
def pad(array: Any, pad_width: Any, mode: str = "constant", *, constant_values: Any = 0) -> Expr:
    """Return np.pad(array, pad_width, mode)."""
    x = expr(array)
    widths = _widths(pad_width, x.ndim)
    if mode in ("edge", "wrap"):
        for k, (before, after) in enumerate(widths):
            x = _pad_by_index(x, k, before, after, mode)
        return x
    only("mode", mode, "constant", "edge", "wrap")
    if isinstance(constant_values, tuple | list):
        raise unsupported("np.pad with several constants is not supported", "pad in steps")
    value = lift(constant_values)
    if literal_value(value) == 0:
        return apply("pad", x, *(e for pair in widths for e in pair))
    shape = [b + size(x, k) + a for k, (b, a) in enumerate(widths)]
    frame = full(value, *shape, dtype=x.dtype)
    items: tuple[Item, ...] = (Span(True, True),) * x.ndim
    bounds = [e for k, (b, _) in enumerate(widths) for e in (b, b + size(x, k))]
    return apply("setitem", frame, x, *bounds, path=(Index(items),))


def _widths(pad_width: Any, rank: int) -> list[tuple[Expr, Expr]]:
    if not isinstance(pad_width, tuple | list):
        if not lift(pad_width).ndim:
            return [(whole(pad_width), whole(pad_width))] * rank
        raise unsupported("pad_width must be written as numbers", "write ((before, after), ...)")
    if not any(isinstance(p, tuple | list) for p in pad_width):
        pair = tuple(whole(p) for p in pad_width) * (1 if len(pad_width) == 2 else 2)
        return [(pair[0], pair[1])] * rank
    pairs = [tuple(whole(e) for e in (p if len(p) == 2 else (*p, *p))) for p in pad_width]
    return [(p[0], p[1]) for p in (pairs * rank if len(pairs) == 1 else pairs)]


def _pad_by_index(x: Expr, axis: int, before: Expr, after: Expr, mode: str) -> Expr:
    n = size(x, axis)
    index = arange(-before, n + after, 1, dtype=None)
    index = apply("clip", index, 0, n - 1) if mode == "edge" else index % n
    return item_at(x, axis, Fancy(), index)


@meaning(np.cross, static="axisa axisb axisc")
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: Any = None) -> Expr:
    """Return np.cross(a, b) of vectors of three elements."""
    if axis is not None:
        axisa = axisb = axisc = axis
    vectors = []
    for e, k in ((expr(a), axisa), (expr(b), axisb)):
        at = one_axis(k, e.ndim)
        e = permute(e, (*(j for j in range(e.ndim) if j != at), at))
        vectors.append(checked_sizes(e, {e.ndim - 1: literal(3)}, "both vectors must have three elements"))
    u, v = ([item_at(e, e.ndim - 1, At(), k) for k in range(3)] for e in vectors)
    out = [u[(k + 1) % 3] * v[(k + 2) % 3] - u[(k + 2) % 3] * v[(k + 1) % 3] for k in range(3)]
    return apply("stack", *out, axis=one_axis(axisc, out[0].ndim + 1))
