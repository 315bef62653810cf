"""What calls that reshape, permute, broadcast, join or split mean. Views stay getitem with a path."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from s2sad.ir.path import At, Index, Item, Span
from s2sad.ops.call import (
    METHODS,
    Casting,
    as_rank0,
    cast_as,
    dims,
    dtype_of,
    expr,
    exprs,
    make_call,
    meaning,
    one_axis,
    only,
    unsupported,
)
from s2sad.ops.declare import literal_value
from s2sad.ops.expr import Expr, apply, lift
from s2sad.ops.functions import (
    copy,
    expand,
    flip,
    permute,
    reshape,
    size,
    span_at,
    swap,
    take_at,
)

# --- reshaping ----------------------------------------------------------------------------------


@meaning(np.reshape)
def reshape_(a: Any, /, shape: Any, order: Any = "C", *, copy: Any = None) -> Expr:
    """Return np.reshape(a, shape)."""
    only("order", order, "C")
    only("copy", copy, None, True)
    found = reshape(expr(a), *dims(shape))
    return apply("copy", found) if copy else found


def reshape_method(self: Any, *shape: Any, order: Any = "C", copy: Any = None) -> Expr:
    """Return `a.reshape(*shape)`."""
    only("order", order, "C")
    only("copy", copy, None, True)
    found = reshape(expr(self), *dims(shape[0] if len(shape) == 1 else shape))
    return apply("copy", found) if copy else found


METHODS["reshape"] = make_call("reshape", reshape_method)


@meaning(np.ravel, method="ravel")
def ravel(a: Any, order: Any = "C") -> Expr:
    """Return np.ravel(a)."""
    only("order", order, "C")
    return reshape(expr(a), -1)


def flatten(self: Any, order: Any = "C") -> Expr:
    """Return `a.flatten()`, a copy."""
    only("order", order, "C")
    x = expr(self)
    return copy(x if x.ndim == 1 else reshape(x, -1))


METHODS["flatten"] = make_call("flatten", flatten)


@meaning(np.squeeze, method="squeeze")
def squeeze(a: Any, axis: Any = None) -> Expr:
    """Return np.squeeze(a)."""
    x = expr(a)
    if axis is None:
        if any(not n.is_const for n in x.dims):
            raise unsupported(
                "np.squeeze without axis needs known sizes", "name the axis: np.squeeze(x, axis=0)"
            )
        axes = tuple(k for k, n in enumerate(x.dims) if n.is_one)
    else:
        axes = tuple(one_axis(k, x.ndim) for k in (axis if isinstance(axis, tuple | list) else (axis,)))
    if not axes:
        return x
    keep = [k for k in range(x.ndim) if k not in axes]
    if not keep or any(not x.dims[k].is_one for k in axes):  # reshape raises where a size is not 1
        return reshape(x, *(size(x, k) for k in keep))
    items: tuple[Item, ...] = tuple(At() if k in axes else Span() for k in range(x.ndim))
    return apply("getitem", x, *(lift(0) for _ in axes), path=(Index(items),))


@meaning(np.expand_dims)
def expand_dims(a: Any, axis: Any) -> Expr:
    """Return np.expand_dims(a, axis)."""
    x = as_rank0(expr(a))
    given = axis if isinstance(axis, tuple | list) else (axis,)
    rank = x.ndim + len(given)
    return expand(x, *sorted(one_axis(k, rank) for k in given))


def _atleast(x: Expr, rank: int) -> Expr:
    x = as_rank0(x)
    if x.ndim >= rank:
        return x
    if not x.ndim:
        return reshape(x, *(1,) * rank)
    if x.ndim == 1:
        return expand(x, 0) if rank == 2 else expand(x, 0, 2)
    return expand(x, 2)


def _one_or_all(xs: tuple[Expr, ...]) -> Any:
    return xs[0] if len(xs) == 1 else xs


@meaning(np.atleast_1d)
def atleast_1d(*arys: Any) -> Any:
    """Return np.atleast_1d(*arys)."""
    return _one_or_all(tuple(_atleast(expr(x), 1) for x in arys))


@meaning(np.atleast_2d)
def atleast_2d(*arys: Any) -> Any:
    """Return np.atleast_2d(*arys)."""
    return _one_or_all(tuple(_atleast(expr(x), 2) for x in arys))


@meaning(np.atleast_3d)
def atleast_3d(*arys: Any) -> Any:
    """Return np.atleast_3d(*arys)."""
    return _one_or_all(tuple(_atleast(expr(x), 3) for x in arys))


# --- permuting and flipping ---------------------------------------------------------------------


@meaning(np.transpose, getattr(np, "permute_dims", None))
def transpose(a: Any, axes: Any = None) -> Expr:
    """Return np.transpose(a, axes)."""
    x = expr(a)
    return permute(x, tuple(one_axis(k, x.ndim) for k in (reversed(range(x.ndim)) if axes is None else axes)))


def transpose_method(self: Any, *axes: Any) -> Expr:
    """Return `a.transpose(*axes)`."""
    listed = len(axes) == 1 and (axes[0] is None or isinstance(axes[0], tuple | list))
    return transpose(self, (axes[0] if listed else axes) or None)


METHODS["transpose"] = make_call("transpose", transpose_method, static="axes")


@meaning(np.swapaxes)
def swapaxes(a: Any, axis1: Any, axis2: Any) -> Expr:
    """Return np.swapaxes(a, axis1, axis2)."""
    x = expr(a)
    return swap(x, one_axis(axis1, x.ndim), one_axis(axis2, x.ndim))


METHODS["swapaxes"] = make_call("swapaxes", swapaxes)


@meaning(np.moveaxis, static="source destination")
def moveaxis(a: Any, source: Any, destination: Any) -> Expr:
    """Return np.moveaxis(a, source, destination)."""
    x = expr(a)
    src, dst = (
        [one_axis(k, x.ndim) for k in (v if isinstance(v, tuple | list) else (v,))]
        for v in (source, destination)
    )
    order = [k for k in range(x.ndim) if k not in src]
    for d, s in sorted(zip(dst, src, strict=True)):
        order.insert(d, s)
    return permute(x, tuple(order))


@meaning(np.rollaxis, static="start")
def rollaxis(a: Any, axis: Any, start: Any = 0) -> Expr:
    """Return np.rollaxis(a, axis, start)."""
    x = expr(a)
    k, to = one_axis(axis, x.ndim), start + x.ndim if start < 0 else start
    return moveaxis(x, k, to - 1 if k < to else to)


@meaning(getattr(np, "matrix_transpose", None))
def matrix_transpose(x: Any, /) -> Expr:
    """Return np.matrix_transpose(x)."""
    return swap(expr(x))


@meaning(np.flip)
def flip_(m: Any, axis: Any = None) -> Expr:
    """Return np.flip(m, axis)."""
    x = expr(m)
    if axis is None:
        return flip(x, *range(x.ndim))
    return flip(
        x, *sorted(one_axis(k, x.ndim) for k in (axis if isinstance(axis, tuple | list) else (axis,)))
    )


@meaning(np.fliplr)
def fliplr(m: Any) -> Expr:
    """Return np.fliplr(m)."""
    return flip(expr(m), 1)


@meaning(np.flipud)
def flipud(m: Any) -> Expr:
    """Return np.flipud(m)."""
    return flip(expr(m), 0)


@meaning(np.rot90, static="k")
def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Expr:
    """Return np.rot90(m, k, axes)."""
    x = expr(m)
    i, j = (one_axis(a, x.ndim) for a in axes)
    match k % 4:
        case 1:
            return swap(flip(x, j), i, j)
        case 2:
            return flip(x, *sorted((i, j)))
        case 3:
            return flip(swap(x, i, j), j)
        case _:
            return apply("getitem", x, path=(Index((Span(),) * x.ndim),))


# --- broadcasting and copies --------------------------------------------------------------------


@meaning(np.broadcast_to)
def broadcast_to(array: Any, shape: Any, subok: Any = False) -> Expr:
    """Return np.broadcast_to(array, shape)."""
    return apply("broadcast_to", expr(array), *dims(shape))


@meaning(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: Any = False) -> tuple[Expr, ...]:
    """Return np.broadcast_arrays(*args)."""
    xs = [expr(x) for x in args]
    like = xs[0]
    for x in xs[1:]:
        like = apply("add", apply("zeros_like", like, dtype=None), apply("zeros_like", x, dtype=None))
    return tuple(apply("broadcast_like", x, like) for x in xs)


@meaning(np.copy)
def copy_(a: Any, order: Any = "K", subok: Any = False) -> Expr:
    """Return np.copy(a)."""
    x = expr(a)
    return copy(x) if x.is_array else apply("array0", x)


def copy_method(self: Any, order: Any = "C") -> Expr:
    """Return `a.copy()`."""
    return copy(expr(self))


METHODS["copy"] = make_call("copy", copy_method)


def astype(
    self: Any, dtype: Any, order: Any = "K", casting: Any = "unsafe", subok: Any = True, copy: Any = True
) -> Expr:
    """Return `a.astype(dtype)`."""
    x = expr(self)
    if not copy and x.dtype == dtype_of(dtype):
        return x
    return apply("cast", x, dtype=dtype_of(dtype))


METHODS["astype"] = make_call("astype", astype)


@meaning(getattr(np, "astype", None))
def astype_(x: Any, dtype: Any, /, *, copy: Any = True, device: Any = None) -> Expr:
    """Return np.astype(x, dtype)."""
    return astype(x, dtype, copy=copy)


# --- joining ------------------------------------------------------------------------------------


@meaning(np.concatenate, getattr(np, "concat", None))
def concatenate_(
    arrays: Any, /, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind"
) -> Expr:
    """Return np.concatenate(arrays, axis)."""
    if isinstance(arrays, Expr):
        return join_rows(arrays, axis, dtype, casting)
    return join(exprs(arrays), axis, dtype, casting)


def join(xs: tuple[Expr, ...], axis: Any, dtype: Any = None, casting: Casting = "same_kind") -> Expr:
    """Return the arrays concatenated, cast before where a dtype is given."""
    if not xs:
        raise ValueError("need at least one array to concatenate")
    if axis is None:
        xs = tuple(reshape(x, -1) for x in xs)
    k = one_axis(axis or 0, xs[0].ndim)
    xs = tuple(cast_as(x, dtype, casting) for x in xs)
    return apply("concatenate", *xs, axis=k)


def stack_rows(x: Expr, axis: Any, dtype: Any = None, casting: Casting = "same_kind") -> Expr:
    """Return the rows of an array stacked along an axis, however many they are."""
    if not x.ndim:
        raise unsupported("a sequence of arrays is expected here")
    return copy(moveaxis(cast_as(x, dtype, casting), 0, one_axis(axis, x.ndim)))


def join_rows(x: Expr, axis: Any, dtype: Any = None, casting: Casting = "same_kind") -> Expr:
    """Return the rows of an array concatenated along an axis, however many they are."""
    if x.ndim < 2:
        raise ValueError("zero-dimensional arrays cannot be concatenated")
    x = cast_as(x, dtype, casting)
    if axis is None:
        return copy(reshape(x, -1))
    k = one_axis(axis, x.ndim - 1)
    x = moveaxis(x, 0, k)
    n = [size(x, i) for i in range(x.ndim)]
    return copy(reshape(x, *n[:k], n[k] * n[k + 1], *n[k + 2 :]))


@meaning(np.stack)
def stack(
    arrays: Any, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind"
) -> Expr:
    """Return np.stack(arrays, axis)."""
    if isinstance(arrays, Expr):
        return stack_rows(arrays, axis, dtype, casting)
    xs = tuple(cast_as(x, dtype, casting) for x in exprs(arrays))
    if not xs:
        raise ValueError("need at least one array to stack")
    return apply("stack", *xs, axis=one_axis(axis, xs[0].ndim + 1))


@meaning(np.hstack)
def hstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Expr:
    """Return np.hstack(tup)."""
    if isinstance(tup, Expr):
        joined = stack_rows if tup.ndim == 1 else join_rows
        return joined(tup, 0 if tup.ndim < 3 else 1, dtype, casting)
    xs = tuple(_atleast(x, 1) for x in exprs(tup))
    return join(xs, 0 if not xs or xs[0].ndim == 1 else 1, dtype, casting)


@meaning(np.vstack, vars(np).get("row_stack"))
def vstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Expr:
    """Return np.vstack(tup)."""
    if isinstance(tup, Expr):
        x = expand(tup, 1) if tup.ndim == 1 else tup
        return (stack_rows if x.ndim == 2 else join_rows)(x, 0, dtype, casting)
    return join(tuple(_atleast(x, 2) for x in exprs(tup)), 0, dtype, casting)


@meaning(np.dstack)
def dstack(tup: Any) -> Expr:
    """Return np.dstack(tup)."""
    if isinstance(tup, Expr):
        return join_rows(tup, 2) if tup.ndim > 3 else expand(stack_rows(tup, -1), *range(3 - tup.ndim))
    return join(tuple(_atleast(x, 3) for x in exprs(tup)), 2)


@meaning(np.column_stack)
def column_stack(tup: Any) -> Expr:
    """Return np.column_stack(tup)."""
    if isinstance(tup, Expr):
        return join_rows(tup, 1) if tup.ndim > 2 else _atleast(stack_rows(tup, -1), 2)
    xs = tuple(_atleast(x, 1) for x in exprs(tup))
    return join(tuple(expand(x, 1) if x.ndim == 1 else x for x in xs), 1)


@meaning(np.append)
def append(arr: Any, values: Any, axis: Any = None) -> Expr:
    """Return np.append(arr, values, axis)."""
    return join((expr(arr), expr(values)), axis)


# --- splitting ----------------------------------------------------------------------------------


@meaning(np.split)
def split(ary: Any, indices_or_sections: Any, axis: Any = 0) -> list[Expr]:
    """Return np.split(ary, indices_or_sections, axis)."""
    return _split(expr(ary), indices_or_sections, axis, exact=True)


@meaning(np.array_split)
def array_split(ary: Any, indices_or_sections: Any, axis: Any = 0) -> list[Expr]:
    """Return np.array_split(ary, indices_or_sections, axis)."""
    return _split(expr(ary), indices_or_sections, axis, exact=False)


@meaning(np.hsplit)
def hsplit(ary: Any, indices_or_sections: Any) -> list[Expr]:
    """Return np.hsplit(ary, indices_or_sections)."""
    x = expr(ary)
    return _split(x, indices_or_sections, 0 if x.ndim == 1 else 1, exact=True)


@meaning(np.vsplit)
def vsplit(ary: Any, indices_or_sections: Any) -> list[Expr]:
    """Return np.vsplit(ary, indices_or_sections)."""
    return _split(expr(ary), indices_or_sections, 0, exact=True)


@meaning(np.dsplit)
def dsplit(ary: Any, indices_or_sections: Any) -> list[Expr]:
    """Return np.dsplit(ary, indices_or_sections)."""
    return _split(expr(ary), indices_or_sections, 2, exact=True)


def _split(x: Expr, where: Any, axis: Any, exact: bool) -> list[Expr]:
    k = one_axis(axis, x.ndim)
    if isinstance(where, tuple | list):
        bounds = [None, *(lift(b) for b in where), None]
        return [span_at(x, k, lo, hi) for lo, hi in pairwise(bounds)]
    sections = literal_value(lift(where))
    if not isinstance(sections, int):
        raise unsupported("the number of sections must be known", "write the number, or slice in a loop")
    if x.dims[k].is_const:
        n = x.dims[k].const
        if exact and n % sections:
            raise ValueError("array split does not result in an equal division")
        ends = np.cumsum([0, *(n // sections + (i < n % sections) for i in range(sections))])
        return [span_at(x, k, int(lo), int(hi)) for lo, hi in pairwise(ends)]
    if exact:  # reshape raises if the division is not equal
        shape = [size(x, j) for j in range(x.ndim)]
        parts = reshape(x, *shape[:k], sections, shape[k] // sections, *shape[k + 1 :])
        return [take_at(parts, k, i) for i in range(sections)]
    n_ = size(x, k)
    each, rest = n_ // sections, n_ % sections
    marks = [each * i + apply("py_min", rest, i) if i else None for i in range(sections)]
    return [span_at(x, k, lo, hi) for lo, hi in zip(marks, [*marks[1:], None], strict=True)]


@meaning(getattr(np, "unstack", None))
def unstack(x: Any, /, *, axis: Any = 0) -> tuple[Expr, ...]:
    """Return np.unstack(x)."""
    a = expr(x)
    k = one_axis(axis, a.ndim)
    if not a.dims[k].is_const:
        raise unsupported("np.unstack needs a known number of parts", "loop over the axis")
    return tuple(take_at(a, k, i) for i in range(a.dims[k].const))


# --- asking -------------------------------------------------------------------------------------


@meaning(np.ndim)
def ndim(a: Any) -> int:
    """Return np.ndim(a)."""
    return expr(a).ndim


@meaning(np.shape)
def shape(a: Any) -> tuple[Expr, ...]:
    """Return np.shape(a)."""
    x = expr(a)
    return tuple(size(x, k) for k in range(x.ndim))


@meaning(np.size)
def size_(a: Any, axis: Any = None) -> Expr:
    """Return np.size(a, axis)."""
    x = expr(a)
    return size(x, None if axis is None else one_axis(axis, x.ndim))


@meaning(np.isscalar)
def isscalar(element: Any) -> bool:
    """Return np.isscalar(element)."""
    return isinstance(element, Expr) and not element.is_array
