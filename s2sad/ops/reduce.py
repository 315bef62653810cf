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
    recurrence,
    span_at,
    total,
    zeros_like,
)
from s2sad.ops.support import load

Axes = tuple[int, ...] | None


def _mean_weight(x: Expr, y: Expr, axis: Axes, keepdims: bool) -> Expr | None:
    return 1.0 / count(x, axis) if x.ndim else None


def _extreme_weight(x: Expr, y: Expr, axis: Axes, keepdims: bool, initial: Any = None) -> Expr | None:
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


reduction("sum", np.sum, lambda x, y, axis, keepdims: None, "np.sum", linear=True)
OF_NOTHING = "of nothing, in reverse mode: ZeroDivisionError"
reduction("mean", np.mean, _mean_weight, "np.mean", linear=True, kinks=OF_NOTHING)
reduction("prod", np.prod, _prod_weight, "np.prod", cost=2, kinks="right with zeros")
reduction("max", np.max, _extreme_weight, "np.max", kinks="ties split evenly")
reduction("min", np.min, _extreme_weight, "np.min", kinks="ties split evenly")
DDOF = {"keepdims": False, "ddof": 0}


def _without_ddof(x: Any, axis: Axes, keepdims: bool, ddof: int = 0) -> Any:
    return np.var(x, axis=axis, keepdims=keepdims)  # samples have one element: ddof would warn


SPREAD: dict[str, Any] = {"defaults": DDOF, "cost": 4, "infer": reduced(_without_ddof)}
reduction("var", np.var, _var_weight, "np.var", **SPREAD)
reduction("std", np.std, _std_weight, "np.std", **SPREAD, kinks="0 where all elements are equal")


def _norm(x: Any, axis: Axes, keepdims: bool) -> Any:
    if axis is not None and len(axis) == np.ndim(x):
        axis = None
    return np.linalg.norm(x, axis=axis[0] if axis is not None and len(axis) == 1 else axis, keepdims=keepdims)


reduction(
    "norm",
    _norm,
    lambda x, y, axis, keepdims: x / nonzero_denominator(y),
    "np.linalg.norm",
    cost=4,
    kinks="0 at 0",
)

for name in ("any", "all", "count_nonzero", "argmax", "argmin"):
    function = getattr(np, name)
    nondiff(name, function, f"np.{name}", infer=reduced(function), defaults={"keepdims": False})


def _cumsum_transpose(g: Expr, x: Expr, y: Expr, axis: int) -> tuple[Expr]:
    return (flip(cumsum(flip(g, axis), axis), axis),)


def _before(x: Expr, axis: int, first: Expr) -> Expr:
    """x moved on by one along the axis, behind `first`."""
    return concatenate((first, span_at(x, axis, hi=-1)), axis)


def _one_back(x: Expr, axis: int) -> Expr:
    return _before(x, axis, zeros_like(span_at(x, axis, hi=1), dtype=None))


def _prefix_products(x: Expr, y: Expr, axis: int) -> Expr:
    """The product of the elements before each one."""
    return _before(y, axis, ones_like(span_at(x, axis, hi=1), dtype=None))


def _backward(a: Expr, g: Expr, axis: int) -> Expr:
    """The transpose of b -> recurrence(a, b): s[k] = g[k] + a[k + 1] * s[k + 1]."""
    return flip(recurrence(_one_back(flip(a, axis), axis), flip(g, axis), axis), axis)


# y[k] = x[k] * y[k - 1] is a recurrence, and so are its derivatives of any order: no division by an
# element, which may be zero.
def _cumprod_jvp(dots: tuple[Expr | None, ...], args: tuple[Expr, ...], y: Expr, axis: int) -> Expr:
    (x,), (dot,) = args, dots
    assert dot is not None
    return recurrence(x, dot * _prefix_products(x, y, axis), axis)


def _cumprod_vjp(g: Expr, args: tuple[Expr, ...], y: Expr, axis: int) -> tuple[Expr]:
    (x,) = args
    return (_backward(x, g, axis) * _prefix_products(x, y, axis),)


def _recurrence_jvp(dots: tuple[Expr | None, ...], args: tuple[Expr, ...], y: Expr, axis: int) -> Expr:
    a_dot, b_dot = dots
    moved = a_dot * _one_back(y, axis) if a_dot is not None else None
    terms = [t for t in (moved, b_dot) if t is not None]
    return recurrence(args[0], terms[0] if len(terms) == 1 else terms[0] + terms[1], axis)


def _recurrence_vjp(g: Expr, args: tuple[Expr, ...], y: Expr, axis: int) -> tuple[Expr, Expr]:
    bar = _backward(args[0], g, axis)
    return bar * _one_back(y, axis), bar


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
    kinks="right with zeros",
)
custom(
    "recurrence",
    load("recurrence"),
    _recurrence_jvp,
    _recurrence_vjp,
    "recurrence",
    undoes=(1, lambda y, a, b, axis: y - a * _one_back(y, axis)),
    spell=lambda types, params: f"recurrence({{}}, {{}}, axis={params['axis']})",
    shape=_same_shape,
    cost=3,
    doc="r[k] = a[k] * r[k - 1] + b[k] along the axis: what the derivatives of cumprod are made of",
)
