"""Products: matmul in all ranks, outer, einsum."""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.ir import path as paths
from s2sad.ir.builder import Sizes
from s2sad.ops.declare import Params, Shape, Types, bilinear, meet, shaped
from s2sad.ops.expr import Expr, apply
from s2sad.ops.functions import (
    broadcast_like,
    expand,
    flip,
    matmul,
    outer,
    reshape,
    size,
    swap,
    take_at,
    unbroadcast,
)


def _matmul_shape(types: Types, params: Params, sizes: Sizes) -> Shape:
    a, b = (t.shape for t in types)
    batch = paths.broadcast(meet(sizes, a[:-2], b[:-2]), sizes.fresh)
    return (*batch, *(a[-2:-1] if len(a) > 1 else ()), *(b[-1:] if len(b) > 1 else ()))


def _matmul_types(types: Types, params: Params, sizes: Sizes) -> Types:
    """The types of a product; that of vectors is a number, and its operands have to fit all the same."""
    a, b = (t.shape for t in types)
    if a and b:
        i, j = len(a) - 1, max(len(b) - 2, 0)
        sizes.contract((0, i, a[i]), (1, j, b[j]), sizes.origin)
    return shaped(np.matmul, _matmul_shape)(types, params, sizes)


def _matmul_transpose(g: Expr, a: Expr, b: Expr, y: Expr) -> tuple[Expr, Expr]:
    return _left(g, a, b), _right(g, a, b)


def _left(g: Expr, a: Expr, b: Expr) -> Expr:
    if a.ndim == 1:
        if b.ndim == 1:
            return b * g
        return b @ g if b.ndim == 2 else take_at(b @ _column(g), b.ndim - 1, 0)
    if b.ndim == 1:
        return outer(g, b) if a.ndim == 2 else _column(g) * b
    return g @ swap(b)


def _right(g: Expr, a: Expr, b: Expr) -> Expr:
    if b.ndim == 1:
        if a.ndim == 1:
            return a * g
        return swap(a) @ g if a.ndim == 2 else take_at(swap(a) @ _column(g), a.ndim - 1, 0)
    if a.ndim == 1:
        return outer(a, g) if b.ndim == 2 else _column(a) * expand(g, g.ndim - 1)
    if b.ndim == 2 and a.ndim > 2:  # one product instead of a batch that would be summed
        rows = reshape(a, -1, size(a, a.ndim - 1))
        return swap(rows) @ reshape(g, -1, size(g, g.ndim - 1))
    return swap(a) @ g


def _column(x: Expr) -> Expr:
    return expand(x, x.ndim)


bilinear("matmul", np.matmul, _matmul_transpose, "{} @ {}", infer=_matmul_types, cost=100)
bilinear(
    "outer",
    np.outer,
    lambda g, a, b, y: (matmul(g, b), matmul(a, g)),
    "np.outer",
    infer=shaped(np.outer, lambda types, params, sizes: (types[0].shape[0], types[1].shape[0])),
)

# --- einsum -------------------------------------------------------------------------------------


def _einsum(*xs: Any, subscripts: str) -> Any:
    return np.einsum(subscripts, *xs)


def split_subscripts(subscripts: str) -> tuple[list[str], str]:
    """Return the operands' and the result's subscripts of an explicit einsum."""
    left, right = subscripts.split("->")
    return left.split(","), right


def _einsum_shape(types: Types, params: Params, sizes: Sizes) -> Shape:
    inputs, output = split_subscripts(params["subscripts"])
    dims: dict[str, list[Shape]] = {}
    for labels, t in zip(inputs, types, strict=True):
        for label, n in zip(labels, t.shape, strict=True):
            dims.setdefault(label, []).append((n,))
    joined = {c: paths.broadcast(meet(sizes, *found), sizes.fresh)[0] for c, found in dims.items()}
    return tuple(joined[label] for label in output)


def _einsum_types(types: Types, params: Params, sizes: Sizes) -> Types:
    """The types of an einsum, whose operands have to fit also where its result is a number."""
    first: dict[str, tuple[int, int, Any]] = {}
    for k, (labels, t) in enumerate(zip(split_subscripts(params["subscripts"])[0], types, strict=True)):
        for axis, label in enumerate(labels):
            here = (k, axis, t.shape[axis])
            sizes.contract(first.setdefault(label, here), here, sizes.origin, stretches=True)
    return shaped(_einsum, _einsum_shape)(types, params, sizes)


def _einsum_transpose(g: Expr, *xs: Expr, y: Expr, subscripts: str) -> tuple[Expr, ...]:
    inputs, output = split_subscripts(subscripts)
    out = []
    for k, (x, labels) in enumerate(zip(xs, inputs, strict=True)):
        others = [*inputs[:k], *inputs[k + 1 :]]
        known = "".join(c for c in labels if c in output or any(c in o for o in others))
        operands = (g, *xs[:k], *xs[k + 1 :])
        part = _contract(operands, [output, *others], known)
        missing = tuple(i for i, c in enumerate(labels) if c not in known)
        out.append(_repeated(part, x, missing) if missing else part)
    return tuple(out)


def _repeated(part: Expr, x: Expr, missing: tuple[int, ...]) -> Expr:
    """The part of x's cotangent, repeated along the axes that are summed in x alone. A label may be
    longer than the axis of size 1 that x has for it."""
    if part.ndim == 0:  # perhaps a number, of which no view is taken
        return broadcast_like(part, x)
    part = expand(part, *missing)
    exact = all(n == m for k, (n, m) in enumerate(zip(part.dims, x.dims, strict=True)) if k not in missing)
    return broadcast_like(part, x) if exact else unbroadcast(part, x)


def _contract(operands: tuple[Expr, ...], inputs: list[str], output: str) -> Expr:
    if inputs == [output]:
        return operands[0]
    return apply("einsum", *operands, subscripts=",".join(inputs) + "->" + output)


def _spell_einsum(types: Types, params: Params) -> str:
    return f"np.einsum({params['subscripts']!r}, " + ", ".join("{}" for _ in types) + ")"


bilinear(
    "einsum",
    _einsum,
    _einsum_transpose,
    "np.einsum",
    spell=_spell_einsum,
    infer=_einsum_types,
    cost=100,
)

# --- convolution --------------------------------------------------------------------------------


def _convolve_shape(types: Types, params: Params, sizes: Sizes) -> Shape:
    n, m = (t.shape[0] for t in types)
    return (n + m - 1,) if params.get("mode", "full") == "full" else ((n - m + 1),)


def _convolve(a: Any, v: Any, mode: Any = "full") -> Any:
    return np.convolve(a, v, mode)


def _convolve_transpose(g: Expr, a: Expr, v: Expr, y: Expr, mode: str = "full") -> tuple[Expr, Expr]:
    if mode == "full":
        return _valid(g, flip(v, 0)), _valid(g, flip(a, 0))
    return apply("convolve", g, flip(v, 0)), flip(_valid(a, flip(g, 0)), 0)


def _valid(long: Expr, short: Expr) -> Expr:
    return apply("convolve", long, short, mode="valid")


bilinear(
    "convolve",
    _convolve,
    _convolve_transpose,
    "np.convolve",
    infer=shaped(_convolve, _convolve_shape),
    cost=100,
    defaults={"mode": "full"},
    doc="mode valid: the first operand is the longer one",
)
