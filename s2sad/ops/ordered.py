"""Ops that put elements in some order or find them: partitions, running extremes, bins, places."""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.ir import path as paths
from s2sad.ir.builder import Sizes
from s2sad.ir.path import Fancy, Index
from s2sad.ir.types import INT, Array, Scalar
from s2sad.ops.declare import Params, Types, custom, elementwise, nondiff, shaped
from s2sad.ops.expr import Expr, Located, apply
from s2sad.ops.functions import arange, expand, item_at, size, where
from s2sad.ops.rearrange import along


def _partition(x: Any, *kth: int, axis: int) -> Any:
    return np.partition(x, kth, axis=axis)


def _argpartition(x: Any, *kth: int, axis: int) -> Any:
    return np.argpartition(x, kth, axis=axis)


def _spell(name: str) -> Any:
    def spell(types: Types, params: Params) -> str:
        places = ", ".join(f"{{{k + 1}}}" for k in range(len(types) - 1))
        places = places if len(types) == 2 else f"({places})"
        last = params["axis"] % types[0].ndim == types[0].ndim - 1
        return f"np.{name}({{0}}, {places}" + ("" if last else f", axis={params['axis']}") + ")"

    return spell


# Which element went where, NumPy does not say; but sorted, x and y are the same elements.
def _origin(x: Expr, y: Expr, axis: int) -> tuple[Any, tuple[Expr, ...]]:
    order, rank = apply("argsort", x, axis=axis), apply("argsort", y, axis=axis)
    if x.ndim == 1:
        owner = item_at(order, 0, Fancy(), apply("argsort", rank, axis=0))
        return (Index((Fancy(),)),), (owner,)
    path, operands = along(x, apply("argsort", rank, axis=axis), axis)
    return along(x, apply("getitem", order, *operands, path=path), axis)


def _partition_jvp(dots: tuple[Expr | None, ...], args: tuple[Expr, ...], y: Expr, axis: int) -> Expr:
    path, operands = _origin(args[0], y, axis)
    return apply("getitem", dots[0], *operands, path=path)


def _partition_vjp(g: Expr, args: tuple[Expr, ...], y: Expr, axis: int) -> tuple[Any, ...]:
    path, operands = _origin(args[0], y, axis)
    return (Located(g, path, operands), *(None for _ in args[1:]))


custom(
    "partition",
    _partition,
    _partition_jvp,
    _partition_vjp,
    "np.partition",
    spell=_spell("partition"),
    infer=lambda types, params, sizes: (types[0],),
    cost=20,
    kinks="equal elements: in the order of np.argsort",
)
nondiff(
    "argpartition",
    _argpartition,
    "np.argpartition",
    spell=_spell("argpartition"),
    infer=lambda types, params, sizes: (Array(INT, types[0].shape),),
    cost=20,
)

# --- running extremes ---------------------------------------------------------------------------


def _places(x: Expr, y: Expr, axis: int) -> tuple[Any, tuple[Expr, ...]]:
    """Where the largest so far stands: the last such place."""
    count = arange(0, size(x, axis), 1, dtype=None)
    count = expand(count, *(k for k in range(x.ndim) if k != axis))
    found = where(x.eq(y), count, 0)
    return along(x, apply("cummax", found, axis=axis), axis)


def _extreme_jvp(dots: tuple[Expr | None, ...], args: tuple[Expr, ...], y: Expr, axis: int) -> Expr:
    path, operands = _places(args[0], y, axis)
    return apply("getitem", dots[0], *operands, path=path)


def _extreme_vjp(g: Expr, args: tuple[Expr, ...], y: Expr, axis: int) -> tuple[Located]:
    path, operands = _places(args[0], y, axis)
    return (Located(g, path, operands),)


def _spell_scan(name: str) -> Any:
    def spell(types: Types, params: Params) -> str:
        return f"np.{name}.accumulate({{}}" + (f", axis={params['axis']})" if params["axis"] else ")")

    return spell


for name, ufunc in (("cummax", np.maximum), ("cummin", np.minimum)):
    custom(
        name,
        ufunc.accumulate,
        _extreme_jvp,
        _extreme_vjp,
        f"np.{ufunc.__name__}.accumulate",
        spell=_spell_scan(ufunc.__name__),
        infer=lambda types, params, sizes: (types[0],),
        cost=2,
        kinks="equal elements: the last one",
    )

# --- between two elements -----------------------------------------------------------------------


def _between(a: Any, b: Any, t: Any) -> Any:
    found = np.where(np.asarray(t) >= 0.5, b - (b - a) * (1 - t), a + (b - a) * t)
    return found if any(np.ndim(v) or isinstance(v, np.ndarray) for v in (a, b, t)) else found[()]


def _spell_between(types: Types, params: Params) -> str:
    low, high = "{0} + ({1} - {0}) * {2}", "{1} - ({1} - {0}) * (1 - {2})"
    if isinstance(types[2], Scalar):
        return f"{high} if {{2}} >= 0.5 else {low}"
    return f"np.where({{2}} >= 0.5, {high}, {low})"


elementwise(
    "between",
    _between,
    lambda g, a, b, t, y: ((1 - t) * g, t * g, (b - a) * g),
    spell=_spell_between,
    domain=((-2.0, 2.0), (-2.0, 2.0), (0.05, 0.95)),
    cost=4,
    doc="a + (b - a) * t, rounded as NumPy does in quantiles: exact at both ends",
)

# --- searching ----------------------------------------------------------------------------------


def _digitize(x: Any, bins: Any, right: bool = False) -> Any:
    return np.digitize(x, bins, right)


nondiff(
    "digitize",
    _digitize,
    "np.digitize",
    infer=shaped(_digitize, lambda types, params, sizes: types[0].shape),
    defaults={"right": False},
    cost=20,
)
nondiff(
    "isin",
    np.isin,
    "np.isin",
    infer=shaped(np.isin, lambda types, params, sizes: types[0].shape),
    cost=20,
)

# --- places in the flattened array --------------------------------------------------------------


def _unravel(index: Any, *dims: int) -> Any:
    found = np.unravel_index(index, dims)
    return found[0] if len(dims) == 1 else found


def _ravel(*args: Any) -> Any:
    half = len(args) // 2
    return np.ravel_multi_index(args[:half], args[half:])


def _unravel_infer(types: Types, params: Params, sizes: Sizes) -> Types:
    t = types[0]
    one = Array(INT, t.shape) if t.ndim else Scalar(INT)
    return (one,) * (len(types) - 1)


def _ravel_infer(types: Types, params: Params, sizes: Sizes) -> Types:
    index = types[: len(types) // 2]
    shape = paths.broadcast([t.shape for t in index], sizes.fresh)
    return (Array(INT, shape) if shape else Scalar(INT),)


def _tuple(first: int, n: int) -> str:
    return "(" + ", ".join(f"{{{first + k}}}" for k in range(n)) + (",)" if n == 1 else ")")


for rank in range(1, 7):
    nondiff(
        f"unravel_index{rank}",
        _unravel,
        "np.unravel_index",
        infer=_unravel_infer,
        results=rank,
        spell=lambda types, params: (
            f"np.unravel_index({{0}}, {_tuple(1, len(types) - 1)})" + ("[0]" if len(types) == 2 else "")
        ),
    )
nondiff(
    "ravel_multi_index",
    _ravel,
    "np.ravel_multi_index",
    infer=_ravel_infer,
    spell=lambda types, params: (
        f"np.ravel_multi_index({_tuple(0, len(types) // 2)}, {_tuple(len(types) // 2, len(types) // 2)})"
    ),
)
