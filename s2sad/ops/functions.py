"""Names for the ops that formulas and meanings are written with: `cos(x)` is `apply("cos", x)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from s2sad.ir.path import At, Index, Item, New, Permute, Span
from s2sad.ops.expr import Expr, apply, lift


def _op(name: str) -> Callable[..., Expr]:
    def call(*args: Any, **params: Any) -> Expr:
        return apply(name, *args, **params)

    return call


maximum, minimum = _op("maximum"), _op("minimum")
exp, log, sqrt, sign, floor_divide = _op("exp"), _op("log"), _op("sqrt"), _op("sign"), _op("floor_divide")
sin, cos, sinh, cosh = _op("sin"), _op("cos"), _op("sinh"), _op("cosh")
absolute, power, copysign = _op("absolute"), _op("power"), _op("copysign")
where, both, either, logical_not = _op("where"), _op("bitwise_and"), _op("bitwise_or"), _op("logical_not")
isnan = _op("isnan")
real, imag, conj = _op("real"), _op("imag"), _op("conjugate")
zeros_like, ones_like = _op("zeros_like"), _op("ones_like")
broadcast_like, reshape_like = _op("broadcast_like"), _op("reshape_like")
unbroadcast = _op("unbroadcast")
broadcast_to, reshape, copy, array0 = _op("broadcast_to"), _op("reshape"), _op("copy"), _op("array0")
matmul, outer, triu, tril = _op("matmul"), _op("outer"), _op("triu"), _op("tril")
eye, arange, zeros, ones, full = _op("eye"), _op("arange"), _op("zeros"), _op("ones"), _op("full")


def size(x: Expr, axis: int | None = None) -> Expr:
    """Return `x.shape[axis]`, or `x.size`; a literal where it is known."""
    known = x.dims[axis] if axis is not None else None
    if axis is None and not x.ndim:
        return literal(1)
    if known is not None and known.is_const:
        return literal(known.const)
    if axis is None and x.ndim == 1:
        axis = 0
    return apply("size", x, axis=axis)


def literal(value: bool | int | float | complex) -> Expr:
    """Return a number of the program text."""
    return lift(value)


def count(x: Expr, axis: tuple[int, ...] | None) -> Expr:
    """Return how many elements a reduction of x along `axis` combines."""
    if axis is None or len(axis) == x.ndim:
        return size(x)
    total: Expr | None = None
    for k in axis:
        total = size(x, k) if total is None else total * size(x, k)
    return literal(1) if total is None else total


def cast(x: Expr, dtype: Any) -> Expr:
    """Return `x.astype(dtype)`, or x if it has that dtype and is not a Python number."""
    weak = getattr(x.type, "weak", False)
    return x if x.dtype == dtype and not weak else apply("cast", x, dtype=dtype)


def total(x: Expr, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Expr:
    """Return `np.sum(x)`."""
    axes = (axis,) if isinstance(axis, int) else axis
    return apply("sum", x, axis=axes, keepdims=keepdims)


def mean(x: Expr, axis: tuple[int, ...] | None = None, keepdims: bool = False) -> Expr:
    """Return `np.mean(x)`."""
    return apply("mean", x, axis=axis, keepdims=keepdims)


def cumsum(x: Expr, axis: int) -> Expr:
    """Return `np.cumsum(x, axis)`."""
    return apply("cumsum", x, axis=axis)


def recurrence(a: Expr, b: Expr, axis: int) -> Expr:
    """Return r with r[k] = a[k] * r[k - 1] + b[k] along the axis."""
    return apply("recurrence", a, b, axis=axis)


def concatenate(xs: tuple[Expr, ...], axis: int) -> Expr:
    """Return `np.concatenate(xs, axis)`."""
    return xs[0] if len(xs) == 1 else apply("concatenate", *xs, axis=axis)


def permute(x: Expr, axes: tuple[int, ...]) -> Expr:
    """Return `np.transpose(x, axes)`, a view."""
    return x if axes == tuple(range(x.ndim)) else apply("getitem", x, path=(Permute(axes),))


def swap(x: Expr, i: int = -2, j: int = -1) -> Expr:
    """Return `np.swapaxes(x, i, j)`, a view."""
    axes = list(range(x.ndim))
    axes[i], axes[j] = axes[j], axes[i]
    return permute(x, tuple(axes))


def item_at(x: Expr, axis: int, item: Item, *operands: Any) -> Expr:
    """Return x with one path item at `axis` and full slices elsewhere."""
    items: list[Item] = [Span()] * x.ndim
    items[axis] = item
    return apply("getitem", x, *operands, path=(Index(tuple(items)),))


def take_at(x: Expr, axis: int, k: Any) -> Expr:
    """Return `x[..., k, ...]` with the int k at `axis`."""
    return item_at(x, axis, At(), k)


def span_at(x: Expr, axis: int, lo: Any = None, hi: Any = None) -> Expr:
    """Return `x[..., lo:hi, ...]` with the slice at `axis`."""
    bounds = [b for b in (lo, hi) if b is not None]
    return item_at(x, axis, Span(lo is not None, hi is not None), *bounds)


def flip(x: Expr, *axes: int) -> Expr:
    """Return x with the given axes reversed, a view."""
    items: list[Item] = [Span(step=k in axes) for k in range(x.ndim)]
    return apply("getitem", x, *(literal(-1) for _ in axes), path=(Index(tuple(items)),))


def expand(x: Expr, *axes: int) -> Expr:
    """Return `np.expand_dims(x, axes)`, a view; axes count in the result and are not negative."""
    if not axes:
        return x
    rank = x.ndim + len(axes)
    items: list[Item] = [New() if k in axes else Span() for k in range(rank)]
    return apply("getitem", x, path=(Index(tuple(items)),))


def nonzero_denominator(y: Expr) -> Expr:
    """Return y with zeros replaced by ones, in y's dtype."""
    return y + y.eq(0)
