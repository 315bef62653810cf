"""Reading and writing parts of arrays. All writes are functional: the result is a new version."""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.ir import path as paths
from s2sad.ir.builder import Sizes
from s2sad.ir.op import Alias, Kind, Op
from s2sad.ir.path import Path
from s2sad.ir.types import Array, Scalar, Type, without_sizes
from s2sad.ops.expr import Expr, Located, apply
from s2sad.ops.table import register


def _getitem(x: Any, *operands: Any, path: Path) -> Any:
    return paths.apply(x, path, operands)


def _getitem_infer(types: tuple[Type, ...], params: dict[str, Any], sizes: Sizes) -> tuple[Type, ...]:
    path: Path = params["path"]
    shape = paths.shape_of(types[0].shape, path, types[1:], sizes.fresh)
    # x[1, 2] is a scalar; x[...] of rank 0 and x.T of rank 0 stay arrays
    last = path[-1] if path else None
    is_scalar = not shape and isinstance(last, paths.Index) and _all_ints(last)
    return (Scalar(types[0].dtype) if is_scalar else Array(types[0].dtype, shape),)


def _all_ints(step: paths.Index) -> bool:
    return bool(step.items) and all(
        isinstance(i, paths.At) or (isinstance(i, paths.Fancy) and not i.mask) for i in step.items
    )


def _getitem_transpose(g: Expr, x: Expr, *operands: Expr, y: Expr, path: Path) -> tuple[Any, ...]:
    return (Located(g, path, operands), *(None for _ in operands))


def _write(how: str) -> Any:
    def evaluate(x: Any, v: Any, *operands: Any, path: Path, at: bool = False) -> Any:
        out = np.array(x, copy=True, subok=False)
        paths.assign(out, path, operands, v, "at" if at else how)
        return out

    return evaluate


def _write_infer(types: tuple[Type, ...], params: dict[str, Any], sizes: Sizes) -> tuple[Type, ...]:
    assert isinstance(types[0], Array), without_sizes(types[0])
    return (types[0],)


def _setitem_transpose(g: Expr, x: Expr, v: Expr, *operands: Expr, y: Expr, path: Path) -> tuple[Any, ...]:
    taken = apply("getitem", g, *operands, path=path)
    if paths.may_repeat(path):
        taken = apply("where", last_write(g, operands, path), taken, 0.0)
    rest = apply("setitem", g, 0.0, *operands, path=path)
    return (rest, taken, *(None for _ in operands))


def last_write(x: Expr, operands: tuple[Expr, ...], path: Path) -> Expr:
    """Return a bool array over `x[path]`: True where that write is the last to its element, for
    with repeated indices NumPy keeps the last value written."""
    order = apply("count_like", apply("getitem", x, *operands, path=path))
    owner = apply("setitem", apply("zeros_like", x, dtype=np.dtype(np.int64)), order, *operands, path=path)
    return apply("getitem", owner, *operands, path=path).eq(order)


def _accum_transpose(
    g: Expr, x: Expr, v: Expr, *operands: Expr, y: Expr, path: Path, at: bool = False
) -> tuple[Any, ...]:
    taken = apply("getitem", g, *operands, path=path) if path else g  # no path: the whole array
    if paths.may_repeat(path) and not at:
        taken = apply("where", last_write(g, operands, path), taken, 0.0)
    return (g, taken, *(None for _ in operands))


GETITEM = register(
    Op(
        "getitem",
        Kind.LINEAR,
        _getitem,
        derivative=_getitem_transpose,
        infer=_getitem_infer,
        linear_args=(0,),
        alias=Alias.VIEW,  # FRESH where paths.is_fancy(path)
        cost=0,
        doc="x[path]: a view for basic indices, a copy for index arrays",
    )
)
SETITEM = register(
    Op(
        "setitem",
        Kind.LINEAR,
        _write("set"),
        derivative=_setitem_transpose,
        infer=_write_infer,
        linear_args=(0, 1),
        alias=Alias.INPLACE,
        doc="x with x[path] = v",
    )
)
ACCUM = register(
    Op(
        "accum",
        Kind.LINEAR,
        _write("add"),
        derivative=_accum_transpose,
        infer=_write_infer,
        linear_args=(0, 1),
        alias=Alias.INPLACE,
        doc="x with x[path] += v; with at=True repeated indices accumulate (np.add.at)",
    )
)


def _count_like(x: Any) -> Any:
    return np.arange(np.size(x)).reshape(np.shape(x))


COUNT_LIKE = register(
    Op(
        "count_like",
        Kind.NONDIFF,
        _count_like,
        spelling="np.arange({0}.size).reshape({0}.shape)",
        infer=lambda types, params, sizes: (Array(np.dtype(np.int64), types[0].shape),),
        shape_args=(0,),
        doc="0, 1, 2, ... in the shape of x",
    )
)
