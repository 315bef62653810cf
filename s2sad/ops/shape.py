"""Shapes and memory: sizes, copies, casts, broadcasting, reshaping, joining."""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.ir.builder import Sizes
from s2sad.ir.op import Alias
from s2sad.ir.path import At, Index
from s2sad.ir.size import Size
from s2sad.ir.types import INT, Array, Scalar
from s2sad.ops.declare import Params, Shape, Types, dims_of, dtype_text, linear, nondiff, shaped
from s2sad.ops.expr import Expr, apply, lift
from s2sad.ops.functions import reshape_like, size, span_at, take_at, total, unbroadcast
from s2sad.ops.support import load

# --- sizes --------------------------------------------------------------------------------------


def _size(x: Any, axis: int | None = None) -> int:
    return int(np.size(x)) if axis is None else int(np.shape(x)[axis])


def _product(shape: Shape) -> Size:
    total = Size.of(1)
    for n in shape:
        total = total * n
    return total


def _size_infer(types: Types, params: Params, sizes: Sizes) -> Types:
    axis = params.get("axis")
    shape = types[0].shape
    return (Scalar(INT, weak=True, size=_product(shape) if axis is None else shape[axis]),)


def _spell_size(types: Types, params: Params) -> str:
    axis = params.get("axis")
    if axis is not None:
        return f"{{}}.shape[{axis}]"
    return "{}.size" if isinstance(types[0], Array) or not types[0].weak else "np.size({})"


nondiff("size", _size, "{}.shape[axis]", spell=_spell_size, infer=_size_infer, shape_args=(0,), cost=0)

# --- copies -------------------------------------------------------------------------------------


def _copy(x: Any) -> Any:
    return x.copy() if isinstance(x, np.ndarray) else x


def _copy_spelling(types: Types, params: Params) -> str:
    return "{}.copy()" if isinstance(types[0], Array) else "{}"


def _same(types: Types, params: Params, sizes: Sizes) -> Types:
    t = types[0]
    return (Scalar(t.dtype, t.weak) if isinstance(t, Scalar) and t.dtype.kind not in "iu" else t,)


def _cast(x: Any, dtype: Any) -> Any:
    return x.astype(dtype) if isinstance(x, np.ndarray) else np.dtype(dtype).type(x)


def _cast_infer(types: Types, params: Params, sizes: Sizes) -> Types:
    t, dtype = types[0], np.dtype(params["dtype"])
    if isinstance(t, Array):
        return (Array(dtype, t.shape),)
    return (Scalar(dtype, size=t.size if dtype.kind in "iu" else None),)


def _cast_spelling(types: Types, params: Params) -> str:
    text = dtype_text(params["dtype"])
    if isinstance(types[0], Array):
        return f"{{}}.astype({text})"
    return "np.bool_({})" if text == "bool" else f"{text}({{}})"


linear("copy", _copy, lambda g, x, y: (g,), "{}.copy()", spell=_copy_spelling, infer=_same)
linear(
    "cast", _cast, lambda g, x, y, dtype: (g,), "{}.astype(dtype)", spell=_cast_spelling, infer=_cast_infer
)
linear(
    "array0",
    lambda x: np.array(x),
    lambda g, x, y: (g,),
    "np.array",
    infer=lambda types, params, sizes: (Array(types[0].dtype, ()),),
    doc="a scalar as an array of rank 0",
)

# --- broadcasting -------------------------------------------------------------------------------


_UNBROADCAST = load("unbroadcast")


def _unbroadcast(g: Any, like: Any) -> Any:
    out = _UNBROADCAST(np.asarray(g), np.shape(like))
    return out if isinstance(like, np.ndarray) else out[()]


def _like_infer(types: Types, params: Params, sizes: Sizes) -> Types:
    x, like = types
    return (Array(x.dtype, like.shape) if isinstance(like, Array) else Scalar(x.dtype),)


def _broadcast_like(x: Any, like: Any) -> Any:
    return np.broadcast_to(x, np.shape(like))


linear(
    "broadcast_to",
    lambda x, *dims: np.broadcast_to(x, dims),
    lambda g, x, *dims, y: (unbroadcast(g, x), *(None for _ in dims)),
    "np.broadcast_to",
    infer=lambda types, params, sizes: (Array(types[0].dtype, dims_of(types[1:], sizes)),),
    linear_args=(0,),
    alias=Alias.READONLY,
    cost=0,
    print="array, dims",
)
linear(
    "broadcast_like",
    _broadcast_like,
    lambda g, x, like, y: (unbroadcast(g, x), None),
    "np.broadcast_to({0}, {1}.shape)",
    infer=lambda types, params, sizes: (Array(types[0].dtype, types[1].shape),),
    linear_args=(0,),
    shape_args=(1,),
    alias=Alias.READONLY,
    cost=0,
)
linear(
    "unbroadcast",
    _unbroadcast,
    lambda g, x, like, y: (unbroadcast(g, x), None),
    infer=_like_infer,
    linear_args=(0,),
    shape_args=(1,),
    doc="g brought to the shape of like, summed or repeated, where it is not known which dimensions are 1",
)

# --- reshaping ----------------------------------------------------------------------------------


def reshaped(shape: Shape, dims: tuple[Scalar, ...], sizes: Sizes) -> Shape:
    """Return the shape after a reshape to int operands, of which one may be a literal -1."""
    known = [t.size for t in dims]
    missing = [k for k, s in enumerate(known) if s is not None and s == Size.of(-1)]
    out = [s.clamped() if s is not None else sizes.fresh() for s in known]
    if missing:
        rest = list(shape)
        others = [s for k, s in enumerate(out) if k != missing[0]]
        for s in list(others):
            if s in rest:
                rest.remove(s)
                others.remove(s)
        out[missing[0]] = _product(tuple(rest)) // _product(tuple(others))
    return tuple(out)


def _reshape_infer(types: Types, params: Params, sizes: Sizes) -> Types:
    dims = tuple(t for t in types[1:] if isinstance(t, Scalar))
    assert len(dims) == len(types) - 1
    return (Array(types[0].dtype, reshaped(types[0].shape, dims, sizes)),)


def _spell_reshape(types: Types, params: Params) -> str:
    if isinstance(types[0], Array):
        return "{}.reshape(" + ", ".join("{}" for _ in types[1:]) + ")" if types[1:] else "{}.reshape(())"
    return "np.reshape({}, (" + "".join("{}, " for _ in types[1:]).rstrip() + "))"


linear(
    "reshape",
    lambda x, *dims: np.reshape(x, dims),
    lambda g, x, *dims, y: (reshape_like(g, x) if x.is_array else total(g), *(None for _ in dims)),
    "np.reshape",
    spell=_spell_reshape,
    infer=_reshape_infer,
    linear_args=(0,),
    alias=Alias.MAYBE,
    cost=0,
    print="array, dims",
)
linear(
    "reshape_like",
    lambda x, like: np.reshape(x, np.shape(like)),
    lambda g, x, like, y: (reshape_like(g, x), None),
    "{0}.reshape({1}.shape)",
    infer=lambda types, params, sizes: (Array(types[0].dtype, types[1].shape),),
    linear_args=(0,),
    shape_args=(1,),
    alias=Alias.MAYBE,
    cost=0,
)

# --- joining ------------------------------------------------------------------------------------


def _concatenate_transpose(g: Expr, *xs: Expr, y: Expr, axis: int) -> tuple[Expr, ...]:
    pieces: list[Expr] = []
    lo: Any = None
    for k, x in enumerate(xs):
        n = size(x, axis)
        hi = None if k == len(xs) - 1 else n if lo is None else _add(lo, n)
        pieces.append(span_at(g, axis, lo, hi))
        lo = hi
    return tuple(pieces)


def _add(a: Expr, b: Expr) -> Expr:
    known = [e.type.size for e in (a, b) if isinstance(e.type, Scalar)]
    if all(s is not None and s.is_const for s in known):
        return lift(sum(s.const for s in known if s is not None))
    return a + b


def _concatenate_shape(types: Types, params: Params, sizes: Sizes) -> Shape:
    axis = params["axis"]
    out = []
    for k in range(types[0].ndim):
        dims = [t.shape[k] for t in types]
        if k == axis:
            total = Size()
            for n in dims:
                total = total + n
            out.append(total)
        else:
            out.append(next((n for n in dims if n.is_const), dims[0]))
    return tuple(out)


def _stack_shape(types: Types, params: Params, sizes: Sizes) -> Shape:
    axis = params["axis"]
    shape = tuple(
        next((t.shape[k] for t in types if t.shape[k].is_const), types[0].shape[k])
        for k in range(types[0].ndim)
    )
    return (*shape[:axis], Size.of(len(types)), *shape[axis:])


def _concatenate(*xs: Any, axis: int = 0) -> Any:
    return np.concatenate(xs, axis=axis)


def _stack(*xs: Any, axis: int = 0) -> Any:
    return np.array(xs) if np.ndim(xs[0]) == 0 else np.stack(xs, axis=axis)


def _spell_stack(types: Types, params: Params) -> str:
    inside = ", ".join("{}" for _ in types)
    if types[0].ndim == 0:
        return f"np.array([{inside}])"
    comma = "," if len(types) == 1 else ""
    return f"np.stack(({inside}{comma})" + (f", axis={params['axis']})" if params["axis"] else ")")


linear(
    "concatenate",
    _concatenate,
    _concatenate_transpose,
    "np.concatenate",
    infer=shaped(_concatenate, _concatenate_shape),
    print="sequence",
    defaults={"axis": 0},
)
linear(
    "stack",
    _stack,
    lambda g, *xs, y, axis: tuple(take_at(g, axis, k) for k in range(len(xs))),
    "np.stack",
    spell=_spell_stack,
    infer=shaped(_stack, _stack_shape),
    print="sequence",
    defaults={"axis": 0},
)


# --- rank 0 -------------------------------------------------------------------------------------

linear(
    "item0",
    lambda x: x[()],
    lambda g, x, y: (g,),
    "{}[()]",
    infer=lambda types, params, sizes: (Scalar(types[0].dtype),),
    doc="the NumPy scalar in an array of rank 0",
)


def _nested(shape: tuple[int, ...], start: int = 0) -> str:
    if not shape:
        return f"{{{start}}}"
    stride = int(np.prod(shape[1:]))
    return "[" + ", ".join(_nested(shape[1:], start + k * stride) for k in range(shape[0])) + "]"


def _array_of(*xs: Any, shape: tuple[int, ...]) -> Any:
    return np.array(xs).reshape(shape)


def _array_of_transpose(g: Expr, *xs: Expr, y: Expr, shape: tuple[int, ...]) -> tuple[Expr, ...]:
    path = (Index((At(),) * len(shape)),)
    return tuple(apply("getitem", g, *map(int, k), path=path) for k in np.ndindex(*shape))


linear(
    "array_of",
    _array_of,
    _array_of_transpose,
    "np.array",
    spell=lambda types, params: f"np.array({_nested(params['shape'])})",
    infer=shaped(_array_of, lambda types, params, sizes: tuple(map(Size.of, params["shape"]))),
    doc="a matrix (or more) written out by its scalars, row by row",
)
