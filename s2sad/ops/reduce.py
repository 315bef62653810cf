"""Reductions and scans along axes. `axis` is None or a sorted tuple of non-negative ints."""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.ir.builder import Sizes
from s2sad.ops.declare import Params, Shape, Types, custom, linear, nondiff, reduced, reduction, spell_axis
from s2sad.ops.expr import Expr, apply
from s2sad.ops.functions import (
    cast,
    concatenate,
    count,
    cumsum,
    flip,
    mean,
    nonzero_denominator,
    ones_like,
    span_at,
    total,
    where,
)

Axes = tuple[int, ...] | None


def _mean_weight(x: Expr, y: Expr, axis: Axes, keepdims: bool) -> Expr | None:
    return 1.0 / count(x, axis) if x.ndim else None


def _extreme_weight(x: Expr, y: Expr, axis: Axes, keepdims: bool) -> Expr | None:
    if not x.ndim:
        return None
    chosen = cast(x.eq(y), x.dtype)
    return chosen / total(chosen, axis, keepdims=True)


def _deviation(x: Expr, axis: Axes) -> Expr:
    return x - mean(x, axis, keepdims=True) if x.ndim else 0.0 * x


def _var_weight(x: Expr, y: Expr, axis: Axes, keepdims: bool, ddof: int = 0) -> Expr:
    n = count(x, axis)
    return 2.0 * _deviation(x, axis) / (n - ddof if ddof else n)


def _std_weight(x: Expr, y: Expr, axis: Axes, keepdims: bool, ddof: int = 0) -> Expr:
    n = count(x, axis)
    return _deviation(x, axis) / ((n - ddof if ddof else n) * nonzero_denominator(y))


def _prod_weight(x: Expr, y: Expr, axis: Axes, keepdims: bool) -> Expr | None:
    """The product of the other elements; right however many zeros there are."""
    weight: Expr | None = None
    for k in range(x.ndim) if axis is None else axis:
        others = _product_of_others(x, k)
        weight = others if weight is None else weight * others
        x = apply("prod", x, axis=(k,), keepdims=True)
    return weight


def _product_of_others(x: Expr, axis: int) -> Expr:
    one = ones_like(span_at(x, axis, hi=1), dtype=None)
    before = concatenate((one, apply("cumprod", span_at(x, axis, hi=-1), axis=axis)), axis)
    back = flip(apply("cumprod", flip(span_at(x, axis, lo=1), axis), axis=axis), axis)
    return before * concatenate((back, one), axis)


reduction("sum", np.sum, lambda x, y, axis, keepdims: None, "np.sum")
reduction("mean", np.mean, _mean_weight, "np.mean", kinks="of nothing: ZeroDivisionError")
reduction("prod", np.prod, _prod_weight, "np.prod", cost=2, kinks="right with zeros")
reduction("max", np.max, _extreme_weight, "np.max", kinks="ties split evenly")
reduction("min", np.min, _extreme_weight, "np.min", kinks="ties split evenly")
DDOF = {"keepdims": False, "ddof": 0}


def _without_ddof(x: Any, axis: Axes, keepdims: bool, ddof: int = 0) -> Any:
    return np.var(x, axis=axis, keepdims=keepdims)  # samples have one element: ddof would warn


SPREAD: dict[str, Any] = {"defaults": DDOF, "cost": 4, "infer": reduced(_without_ddof)}
reduction("var", np.var, _var_weight, "np.var", **SPREAD)
reduction("std", np.std, _std_weight, "np.std", **SPREAD, kinks="0 where all elements are equal")

for name in ("any", "all", "count_nonzero", "argmax", "argmin"):
    function = getattr(np, name)
    nondiff(name, function, f"np.{name}", infer=reduced(function), defaults={"keepdims": False})


def _cumsum_transpose(g: Expr, x: Expr, y: Expr, axis: int) -> tuple[Expr]:
    return (flip(cumsum(flip(g, axis), axis), axis),)


def _cumprod_jvp(dots: tuple[Expr | None, ...], args: tuple[Expr, ...], y: Expr, axis: int) -> Expr:
    (x,), (dot,) = args, dots
    assert dot is not None
    first, without = _skip_first_zero(x, axis)
    smooth = y * cumsum(where(first, 0.0, dot / nonzero_denominator(x)), axis)
    return smooth + without * cumsum(where(first, dot, 0.0), axis)


def _cumprod_vjp(g: Expr, args: tuple[Expr, ...], y: Expr, axis: int) -> tuple[Expr]:
    (x,) = args
    first, without = _skip_first_zero(x, axis)
    smooth = flip(cumsum(flip(g * y, axis), axis), axis) / nonzero_denominator(x)
    through = flip(cumsum(flip(g * without, axis), axis), axis)
    return (where(first, through, smooth),)


def _skip_first_zero(x: Expr, axis: int) -> tuple[Expr, Expr]:
    """Where the first zero stands, and the cumulative product without it."""
    is_zero = x.eq(0)
    first = apply("bitwise_and", is_zero, cumsum(is_zero, axis).eq(1))
    return first, apply("cumprod", where(first, 1.0, x), axis=axis)


def _same_shape(types: Types, params: Params, sizes: Sizes) -> Shape:
    return types[0].shape


linear(
    "cumsum", np.cumsum, _cumsum_transpose, "np.cumsum", spell=spell_axis("cumsum"), shape=_same_shape, cost=2
)
custom(
    "cumprod",
    np.cumprod,
    _cumprod_jvp,
    _cumprod_vjp,
    "np.cumprod",
    spell=spell_axis("cumprod"),
    shape=_same_shape,
    cost=2,
    kinks="right with zeros; second derivatives need at most one zero per line",
)
