"""Ops that move elements about: roll, repeat, tile, pad, triangles, diagonals, sorting, searching."""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.ir.builder import Sizes
from s2sad.ir.op import Alias
from s2sad.ir.path import Fancy, Index, Item, Span
from s2sad.ir.size import Size
from s2sad.ir.types import INT, Array, Scalar, Type
from s2sad.ops.declare import Params, Shape, Types, custom, linear, literal_value, nondiff, shaped, spell_axis
from s2sad.ops.expr import Expr, Located, apply, lift
from s2sad.ops.functions import arange, expand, reshape, size, span_at, total


def _same_shape(types: Types, params: Params, sizes: Sizes) -> Shape:
    return types[0].shape


def _int_size(t: Type) -> Size | None:
    return t.size if isinstance(t, Scalar) else None


# --- triangles and shifts -----------------------------------------------------------------------

for name, function in (("triu", np.triu), ("tril", np.tril)):
    linear(
        name,
        function,
        lambda g, x, y, k=0, name=name: (apply(name, g, k=k),),
        f"np.{name}",
        shape=_same_shape,
        defaults={"k": 0},
    )


def _minus(e: Expr) -> Expr:
    n = literal_value(e)
    return -e if n is None else lift(-n)


linear(
    "roll",
    lambda x, shift, axis: np.roll(x, shift, axis),
    lambda g, x, shift, y, axis: (apply("roll", g, _minus(shift), axis=axis), None),
    "np.roll",
    spell=spell_axis("roll"),
    infer=lambda types, params, sizes: (types[0],),
    linear_args=(0,),
)

# --- repetition ---------------------------------------------------------------------------------


def _repeat_shape(types: Types, params: Params, sizes: Sizes) -> Shape:
    axis, times = params["axis"], _int_size(types[1])
    shape = list(types[0].shape)
    shape[axis] = shape[axis] * times.clamped() if times is not None else sizes.fresh()
    return tuple(shape)


def _repeat(x: Any, repeats: Any, axis: int) -> Any:
    return np.repeat(x, repeats, axis=axis)


def _repeat_transpose(g: Expr, x: Expr, repeats: Expr, y: Expr, axis: int) -> tuple[Any, None]:
    if repeats.is_array:
        owner = apply("repeat", arange(0, size(x, axis), 1, dtype=None), repeats, axis=0)
        items = tuple(Fancy() if k == axis else Span() for k in range(x.ndim))
        return Located(g, (Index(items),), (owner,)), None
    dims = [size(x, k) for k in range(x.ndim)]
    return total(reshape(g, *dims[: axis + 1], repeats, *dims[axis + 1 :]), axis + 1), None


linear(
    "repeat",
    _repeat,
    _repeat_transpose,
    "np.repeat",
    infer=shaped(_repeat, _repeat_shape),
    linear_args=(0,),
    spell=spell_axis("repeat"),
)


def _tile(x: Any, *reps: int) -> Any:
    return np.tile(x, reps)


def _tile_shape(types: Types, params: Params, sizes: Sizes) -> Shape:
    times = [_int_size(t) for t in types[1:]]
    rank = max(types[0].ndim, len(times))
    dims = [Size.of(1)] * (rank - types[0].ndim) + list(types[0].shape)
    reps: list[Size | None] = [*[Size.of(1)] * (rank - len(times)), *times]
    return tuple(n * r.clamped() if r is not None else sizes.fresh() for n, r in zip(dims, reps, strict=True))


def _tile_transpose(g: Expr, x: Expr, *reps: Expr, y: Expr) -> tuple[Expr | None, ...]:
    rank = max(x.ndim, len(reps))
    dims = [lift(1)] * (rank - x.ndim) + [size(x, k) for k in range(x.ndim)]
    times = [lift(1)] * (rank - len(reps)) + list(reps)
    split = reshape(g, *(e for pair in zip(times, dims, strict=True) for e in pair))
    added = range(1, 2 * (rank - x.ndim), 2)
    return (total(split, (*sorted((*range(0, 2 * rank, 2), *added)),)), *(None for _ in reps))


linear(
    "tile",
    _tile,
    _tile_transpose,
    "np.tile",
    infer=shaped(_tile, _tile_shape),
    linear_args=(0,),
    print="array, dims",
)

# --- padding with zeros -------------------------------------------------------------------------


def _pad(x: Any, *widths: int) -> Any:
    return np.pad(x, list(zip(widths[::2], widths[1::2], strict=True)))


def _pad_shape(types: Types, params: Params, sizes: Sizes) -> Shape:
    out = []
    for k, n in enumerate(types[0].shape):
        before, after = _int_size(types[1 + 2 * k]), _int_size(types[2 + 2 * k])
        out.append(sizes.fresh() if before is None or after is None else n + before + after)
    return tuple(out)


def _pad_transpose(g: Expr, x: Expr, *widths: Expr, y: Expr) -> tuple[Expr | None, ...]:
    for k in range(x.ndim):
        g = span_at(g, k, widths[2 * k], widths[2 * k] + size(x, k))
    return (g, *(None for _ in widths))


def _spell_pad(types: Types, params: Params) -> str:
    pairs = [f"({{{2 * k + 1}}}, {{{2 * k + 2}}})" for k in range(types[0].ndim)]
    return "np.pad({0}, " + (pairs[0] if len(pairs) == 1 else "(" + ", ".join(pairs) + ")") + ")"


linear(
    "pad", _pad, _pad_transpose, "np.pad", spell=_spell_pad, infer=shaped(_pad, _pad_shape), linear_args=(0,)
)

# --- diagonals ----------------------------------------------------------------------------------


def _diagonal_shape(types: Types, params: Params, sizes: Sizes) -> Shape:
    *batch, n, m = types[0].shape
    k = params.get("offset", 0)
    rows, cols = (n, m - k) if k >= 0 else (n + k, m)
    return (*batch, rows.minimum(cols).clamped())


def _diagonal(x: Any, offset: int = 0) -> Any:
    return np.diagonal(x, offset, -2, -1)


def _spell_diagonal(types: Types, params: Params) -> str:
    offset = params.get("offset", 0)
    if types[0].ndim == 2:
        return f"np.diagonal({{}}, {offset})" if offset else "np.diagonal({})"
    return f"np.diagonal({{}}, {offset}, -2, -1)"


def _diagonal_transpose(g: Expr, x: Expr, y: Expr, offset: int = 0) -> tuple[Located]:
    index = arange(0, size(g, g.ndim - 1), 1, dtype=None)
    rows = index - offset if offset < 0 else index
    cols = index + offset if offset > 0 else index
    items: list[Item] = [*(Span() for _ in range(x.ndim - 2)), Fancy(), Fancy()]
    return (Located(g, (Index(tuple(items)),), (rows, cols)),)


linear(
    "diagonal",
    _diagonal,
    _diagonal_transpose,
    "np.diagonal",
    spell=_spell_diagonal,
    infer=shaped(_diagonal, _diagonal_shape),
    alias=Alias.READONLY,
    cost=0,
)


def _diag_embed(x: Any, offset: int = 0) -> Any:
    return np.diag(x, offset)


def _diag_embed_shape(types: Types, params: Params, sizes: Sizes) -> Shape:
    n = types[0].shape[0] + abs(params.get("offset", 0))
    return (n, n)


linear(
    "diag_embed",
    _diag_embed,
    lambda g, x, y, offset=0: (apply("diagonal", g, offset=offset),),
    "np.diag",
    spell=lambda types, params: (
        f"np.diag({{}}, {params['offset']})" if params.get("offset") else "np.diag({})"
    ),
    infer=shaped(_diag_embed, _diag_embed_shape),
)

# --- sorting and searching ----------------------------------------------------------------------


def along(x: Expr, index: Expr, axis: int) -> tuple[tuple[Index], tuple[Expr, ...]]:
    """Return the path and operands of `np.take_along_axis(x, index, axis)`."""
    operands: list[Expr] = []
    for k in range(x.ndim):
        grid = arange(0, size(index, k), 1, dtype=None)
        others = tuple(j for j in range(x.ndim) if j != k)
        operands.append(index if k == axis else expand(grid, *others))
    return (Index((Fancy(),) * x.ndim),), tuple(operands)


def _sort(x: Any, axis: int) -> Any:
    return np.sort(x, axis=axis)


def _argsort(x: Any, axis: int, kind: Any = None) -> Any:
    return np.argsort(x, axis=axis, kind=kind)


def _sort_jvp(dots: tuple[Expr | None, ...], args: tuple[Expr, ...], y: Expr, axis: int) -> Expr:
    (dot,), (x,) = dots, args
    assert dot is not None
    path, operands = along(x, apply("argsort", x, axis=axis), axis)
    return apply("getitem", dot, *operands, path=path)


def _sort_vjp(g: Expr, args: tuple[Expr, ...], y: Expr, axis: int) -> tuple[Located]:
    (x,) = args
    path, operands = along(x, apply("argsort", x, axis=axis), axis)
    return (Located(g, path, operands),)


KINK = "equal elements: in the order of np.argsort"
custom(
    "sort",
    _sort,
    _sort_jvp,
    _sort_vjp,
    "np.sort",
    spell=spell_axis("sort", -1),
    shape=_same_shape,
    cost=20,
    kinks=KINK,
)
nondiff(
    "argsort",
    _argsort,
    "np.argsort",
    shape=_same_shape,
    spell=spell_axis("argsort", -1),
    cost=20,
)


def _searchsorted(a: Any, v: Any, side: Any = "left") -> Any:
    return np.searchsorted(a, v, side)


nondiff(
    "searchsorted",
    _searchsorted,
    "np.searchsorted",
    infer=shaped(_searchsorted, lambda types, params, sizes: types[1].shape),
    defaults={"side": "left"},
)

# --- index arrays of run-time length ------------------------------------------------------------


def _index_arrays(n: int) -> Any:
    def infer(types: Types, params: Params, sizes: Sizes) -> Types:
        length = sizes.fresh()
        return tuple(Array(INT, (length,)) for _ in range(n))

    return infer


nondiff("flatnonzero", np.flatnonzero, "np.flatnonzero", infer=_index_arrays(1))
nondiff("nonzero2", np.nonzero, "np.nonzero", infer=_index_arrays(2), results=2)
nondiff("nonzero3", np.nonzero, "np.nonzero", infer=_index_arrays(3), results=3)
nondiff(
    "argwhere",
    np.argwhere,
    "np.argwhere",
    infer=lambda types, params, sizes: (Array(INT, (sizes.fresh(), Size.of(types[0].ndim))),),
)


def _spell_triangle(name: str, types: Types, params: Params) -> str:
    n, m = map(_int_size, types)
    k = params.get("k", 0)
    if n is None or n != m:
        return f"np.{name}({{0}}, {k}, {{1}})"
    return f"np.{name}({{0}}, {k})" if k else f"np.{name}({{0}})"


for name in ("triu_indices", "tril_indices"):
    nondiff(
        name,
        lambda n, m, k=0, name=name: getattr(np, name)(n, k, m),
        f"np.{name}",
        spell=lambda types, params, name=name: _spell_triangle(name, types, params),
        infer=_index_arrays(2),
        results=2,
    )
