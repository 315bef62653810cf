"""What calls that make arrays mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.ir.types import Scalar
from s2sad.ops.call import as_rank0, dims, dtype_of, expr, meaning, one_axis, only, strong, unsupported
from s2sad.ops.declare import literal_value
from s2sad.ops.expr import Expr, Unclear, apply, lift
from s2sad.ops.functions import (
    arange,
    broadcast_like,
    cast,
    concatenate,
    copy,
    expand,
    eye,
    full,
    ones,
    permute,
    power,
    size,
    zeros,
)

F8 = np.dtype(np.float64)


@meaning(np.array, static="ndmin")
def array_(
    object: Any,
    dtype: Any = None,
    *,
    copy: Any = True,
    order: Any = "K",
    subok: Any = False,
    ndmin: int = 0,
    like: Any = None,
) -> Expr:
    """Return np.array(object): a copy, unless copy=None or False allow the object itself."""
    return _array(object, dtype, fresh=bool(copy), ndmin=ndmin)


@meaning(np.asarray, np.asanyarray)
def asarray(
    a: Any, dtype: Any = None, order: Any = None, *, device: Any = None, copy: Any = None, like: Any = None
) -> Expr:
    """Return np.asarray(a): an array of that dtype is returned as it is."""
    return _array(a, dtype, fresh=bool(copy), ndmin=0)


def _array(x: Any, dtype: Any, fresh: bool, ndmin: int) -> Expr:
    given = isinstance(x, Expr) and x.is_array
    found = dtype_of(dtype)
    if found is not None and found.kind in "iuf" and _holds_complex(x):
        raise TypeError("must be real number, not complex")
    e = as_rank0(expr(x))
    if found is not None and found != e.dtype:
        e = apply("cast", e, dtype=found)
    elif given and fresh:
        e = copy(e)
    return expand(e, *range(ndmin - e.ndim)) if ndmin > e.ndim else e


def _holds_complex(x: Any) -> bool:
    """True if there is a complex number of Python, which NumPy does not convert as it does its own."""
    if isinstance(x, tuple | list):
        return any(map(_holds_complex, x))
    t = lift(x).type
    return isinstance(x, Unclear) or (isinstance(t, Scalar) and t.weak and t.dtype.kind == "c")


@meaning(np.zeros)
def zeros_(shape: Any, dtype: Any = None, order: Any = "C", *, device: Any = None, like: Any = None) -> Expr:
    """Return np.zeros(shape)."""
    return zeros(*dims(shape), dtype=dtype_of(dtype) or F8)


@meaning(np.ones)
def ones_(shape: Any, dtype: Any = None, order: Any = "C", *, device: Any = None, like: Any = None) -> Expr:
    """Return np.ones(shape)."""
    return ones(*dims(shape), dtype=dtype_of(dtype) or F8)


@meaning(np.empty)
def empty(shape: Any, dtype: Any = None, order: Any = "C", *, device: Any = None, like: Any = None) -> Expr:
    """Return np.empty(shape)."""
    return apply("empty", *dims(shape), dtype=dtype_of(dtype) or F8)


@meaning(np.full)
def full_(
    shape: Any, fill_value: Any, dtype: Any = None, order: Any = "C", *, device: Any = None, like: Any = None
) -> Expr:
    """Return np.full(shape, fill_value)."""
    return full(expr(fill_value), *dims(shape), dtype=dtype_of(dtype))


def _like(op: str, a: Any, dtype: Any, shape: Any) -> Expr:
    x = expr(a)
    if shape is not None:
        return apply(op.removesuffix("_like"), *dims(shape), dtype=dtype_of(dtype) or x.dtype)
    return apply(op, as_rank0(x), dtype=dtype_of(dtype))


@meaning(np.zeros_like)
def zeros_like(
    a: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None, *, device: Any = None
) -> Expr:
    """Return np.zeros_like(a)."""
    return _like("zeros_like", a, dtype, shape)


@meaning(np.ones_like)
def ones_like(
    a: Any, dtype: Any = None, order: Any = "K", subok: Any = True, shape: Any = None, *, device: Any = None
) -> Expr:
    """Return np.ones_like(a)."""
    return _like("ones_like", a, dtype, shape)


@meaning(np.empty_like)
def empty_like(
    prototype: Any,
    dtype: Any = None,
    order: Any = "K",
    subok: Any = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Expr:
    """Return np.empty_like(prototype)."""
    return _like("empty_like", prototype, dtype, shape)


@meaning(np.full_like)
def full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: Any = "K",
    subok: Any = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Expr:
    """Return np.full_like(a, fill_value)."""
    x, v = expr(a), expr(fill_value)
    if shape is not None:
        return full(v, *dims(shape), dtype=dtype_of(dtype) or x.dtype)
    return apply("full_like", as_rank0(x), v, dtype=dtype_of(dtype))


@meaning(np.eye, static="k")
def eye_(
    N: Any,
    M: Any = None,
    k: int = 0,
    dtype: Any = float,
    order: Any = "C",
    *,
    device: Any = None,
    like: Any = None,
) -> Expr:
    """Return np.eye(N, M, k)."""
    return eye(N, N if M is None else M, k=k, dtype=dtype_of(dtype) or F8)


@meaning(np.identity)
def identity(n: Any, dtype: Any = None, *, like: Any = None) -> Expr:
    """Return np.identity(n)."""
    return eye(n, n, k=0, dtype=dtype_of(dtype) or F8)


@meaning(np.tri, static="k")
def tri(N: Any, M: Any = None, k: int = 0, dtype: Any = float, *, like: Any = None) -> Expr:
    """Return np.tri(N, M, k)."""
    return apply("tril", ones(*dims((N, N if M is None else M)), dtype=dtype_of(dtype) or F8), k=k)


@meaning(np.arange)
def arange_(
    start_or_stop: Any,
    /,
    stop: Any = None,
    step: Any = 1,
    *,
    dtype: Any = None,
    device: Any = None,
    like: Any = None,
) -> Expr:
    """Return np.arange(start, stop, step)."""
    lo, hi = (0, start_or_stop) if stop is None else (start_or_stop, stop)
    for e in map(lift, (lo, hi, step)):
        if e.ndim:
            raise unsupported("np.arange needs numbers")
    return arange(lo, hi, 1 if step is None else step, dtype=dtype_of(dtype))


@meaning(np.linspace)
def linspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    """Return np.linspace(start, stop, num)."""
    lo, hi, n = expr(start), expr(stop), lift(num)
    if lo.ndim or hi.ndim:
        return _between_arrays(lo, hi, n, endpoint, retstep, dtype_of(dtype), axis)
    y = apply("linspace", lo, hi, n, endpoint=bool(endpoint), dtype=dtype_of(dtype))
    return (y, (strong(hi) - lo) / (n - 1 if endpoint else n)) if retstep else y


def _between_arrays(
    lo: Expr, hi: Expr, num: Expr, endpoint: bool, retstep: bool, dtype: Any, axis: int
) -> Any:
    """np.linspace between arrays, which ends at `hi` exactly."""
    n = literal_value(num)
    if not isinstance(n, int) or n < 2:
        raise unsupported(
            "np.linspace between arrays needs a number of points that is written out, at least 2",
            "a + (b - a) * t[:, None], t = np.linspace(0, 1, n)",
        )
    kind = np.result_type(lo.dtype, hi.dtype, np.float64 if lo.dtype.kind in "iub" else lo.dtype)
    first, last = (cast(e, np.result_type(kind, np.float32)) for e in (lo * 1.0, hi * 1.0))
    step = (last - first) / (n - 1 if endpoint else n)
    steps = expand(arange(0, n - 1 if endpoint else n, 1, dtype=step.dtype), *range(1, step.ndim + 1))
    y = steps * step + first
    if endpoint:
        y = concatenate((y, expand(broadcast_like(last, step), 0)), 0)
    y = moved(y, 0, one_axis(axis, y.ndim))
    y = y if dtype is None else cast(y, dtype)
    return (y, step) if retstep else y


def moved(x: Expr, source: int, target: int) -> Expr:
    """Return x with one axis at another place."""
    rest = [k for k in range(x.ndim) if k != source]
    return permute(x, (*rest[:target], source, *rest[target:]))


@meaning(np.logspace)
def logspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Expr:
    """Return np.logspace(start, stop, num)."""
    y = power(expr(base), linspace(start, stop, num, endpoint))
    return y if dtype is None else cast(y, dtype_of(dtype))


@meaning(np.meshgrid)
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Expr, ...]:
    """Return np.meshgrid(*xi)."""
    only("copy", copy, True)
    return tuple(apply("copy", view) for view in _grids(xi, sparse, indexing))


def _grids(xi: tuple[Any, ...], sparse: bool, indexing: str) -> list[Expr]:
    """The views that np.meshgrid copies."""
    xs = [expr(x) for x in xi]
    rank = len(xs)
    place = list(range(rank))
    if indexing == "xy" and rank > 1:
        place[0], place[1] = 1, 0
    elif indexing not in ("xy", "ij"):
        only("indexing", indexing, "xy", "ij")
    flat = [apply("reshape", x, -1) if x.ndim != 1 else x for x in xs]
    shape: list[Any] = [None] * rank
    for k, x in enumerate(flat):
        shape[place[k]] = size(x, 0)
    out = []
    for k, x in enumerate(flat):
        view = expand(x, *(j for j in range(rank) if j != place[k]))
        out.append(view if sparse else apply("broadcast_to", view, *shape))
    return out


@meaning(np.indices)
def indices(dimensions: Any, dtype: Any = int, sparse: bool = False) -> Any:
    """Return np.indices(dimensions)."""
    only("sparse", sparse, False)
    ranges = tuple(arange(0, n, 1, dtype=dtype_of(dtype)) for n in dims(dimensions))
    found = _grids(ranges, sparse=False, indexing="ij")
    return apply("stack", *found, axis=0)
