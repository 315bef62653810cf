"""NumPy functions that are loops, call a function or write in place: programs read in place of the call.

They are text for the frontend, which reads them as it reads the user's functions; everything in them
has the place of the call.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from s2sad.ir.transformed import form
from s2sad.ops.meaning_linalg import QRResult
from s2sad.ops.meaning_windows import progression


def unsupported(why: str, instead: str = "") -> Any:
    """Refuse the call that the program stands for, while it is read."""
    raise NotImplementedError(why)


@form("solution")
def solution(F: Callable[..., Any], search: Callable[..., Any], *data: Any) -> Any:
    """Return `search(F, *data)`: a number x with F(x) = 0, first in a tuple with what else is known of it. By
    whatever F reads, x has the derivative of a root (`solutions.py`); by `data` it has none."""
    return search(F, *data)


@form("apart")
def apart(search: Callable[..., Any], *data: Any) -> Any:
    """Return `search(*data)`, numbers and arrays without a derivative; it stays a function of its own."""
    return search(*data)


# --- polynomials and matrices -------------------------------------------------------------------


def poly(seq_of_zeros: Any) -> Any:
    """np.poly: multiply by x - zero, for one zero after the other."""
    zeros = np.real_if_close(seq_of_zeros)  # refuses complex ones: whether the result is, a run tells
    if zeros.ndim != 1:
        return unsupported("np.poly of a matrix is not supported", "its roots are np.linalg.eigvals(A)")
    found = np.zeros(len(zeros) + 1, dtype=np.result_type(zeros, np.float32))
    found[0] = 1.0
    for k in range(len(zeros)):
        found[1:] = found[1:] - zeros[k] * found[:-1]
    return found


def roots(p: Any) -> Any:
    """np.roots: the eigenvalues of the companion matrix."""
    given = np.asarray(p)
    c = np.asarray(given, dtype=np.result_type(given, np.float32))
    if c.ndim != 1:
        return unsupported("np.roots takes a vector of coefficients")
    if len(c) < 2 or c[0] == 0.0 or c[-1] == 0.0:
        raise ValueError("np.roots leaves out leading and trailing zeros: slice the coefficients before")
    companion = np.eye(len(c) - 1, k=-1, dtype=c.dtype)
    companion[0, :] = -c[1:] / c[0]
    return np.linalg.eigvals(companion)


def polydiv(u: Any, v: Any) -> Any:
    """np.polydiv: long division; the rest without its leading zeros."""
    r, d = np.asarray(u) + 0.0, np.asarray(v) + 0.0
    if r.ndim != 1 or d.ndim != 1:
        return unsupported("np.polydiv takes vectors of coefficients")
    n = len(d)
    steps = len(r) - n + 1
    q = np.zeros(max(steps, 1), dtype=np.result_type(r, d))
    rest = r.astype(q.dtype)
    for k in range(steps):
        q[k] = 1.0 / d[0] * rest[k]
        rest[k : k + n] = rest[k : k + n] - q[k] * d
    first = 0
    while first < len(rest) - 1 and np.abs(rest[first]) <= 1e-8:
        first += 1
    return q, rest[first:]


def matrix_power(a: Any, n: Any) -> Any:
    """np.linalg.matrix_power of a power that is known at run time only: repeated squaring."""
    x = np.asarray(a)
    if x.dtype.kind in "biu":
        if n < 0:
            raise ValueError("a matrix of ints has no negative powers here: convert it with astype(float)")
        square = np.copy(x)
    else:
        square = np.linalg.inv(x) if n < 0 else np.copy(x)
    left = abs(n)
    found = np.zeros_like(square) + np.eye(x.shape[-1], dtype=square.dtype)
    while left > 0:
        if left % 2 == 1:
            found = found @ square
        left //= 2
        if left > 0:
            square = square @ square
    return found


def cross_of_two(*args: Any, **kwargs: Any) -> Any:
    """np.cross of vectors of two elements, which NumPy is about to give up."""
    return unsupported("np.cross of vectors of two is not supported", "write x[0] * y[1] - x[1] * y[0]")


def qr_of_wide(a: Any, mode: str = "reduced") -> Any:
    """np.linalg.qr of a matrix with more columns than rows: the first ones decide on Q."""
    n = a.shape[-2]
    q, r = np.linalg.qr(a[..., :n])
    r = np.concatenate((r, np.swapaxes(q.conj(), -1, -2) @ a[..., n:]), axis=-1)
    if mode == "r":
        return r
    if mode != "reduced":
        return unsupported("this mode of np.linalg.qr is not supported", "leave out mode=")
    return QRResult(q, r)


def geomspace(
    start: Any, stop: Any, num: Any = 50, endpoint: Any = True, dtype: Any = None, axis: Any = 0
) -> Any:
    """np.geomspace, with the check that it makes."""
    for end in (start, stop):
        if np.ndim(end) == 0 and end == 0:
            raise ValueError("Geometric sequence cannot include zero")
    return progression(start, stop, num, endpoint, dtype, axis)


# --- functions of functions ---------------------------------------------------------------------


def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    """np.piecewise: each function on the elements of its condition."""
    given = np.asarray(x)
    if isinstance(condlist, np.ndarray) and condlist.ndim == given.ndim:
        conditions = [condlist]
    else:
        conditions = list(condlist)
    masks = [np.asarray(c, dtype=bool) for c in conditions]
    t = given
    if given.ndim == 0:
        t, masks = np.reshape(given, -1), [np.reshape(mask, -1) for mask in masks]
    if len(funclist) not in (len(masks), len(masks) + 1):
        return unsupported("np.piecewise takes a function per condition, and one more for the rest")
    if len(funclist) == len(masks) + 1:
        none = np.ones(t.shape, dtype=bool)
        for mask in masks:
            none = none & ~mask
        masks.append(none)
    y = np.zeros_like(t)
    for mask, function in zip(masks, funclist, strict=True):
        y[mask] = function(t[mask], *args, **kw) if callable(function) else function
    return np.reshape(y, ()) if given.ndim == 0 else y


def fromiter(iter: Any, dtype: Any, count: Any = -1, *, like: Any = None) -> Any:
    """np.fromiter: the first numbers of what is iterated over."""
    found = np.asarray(list(iter), dtype=dtype)
    if found.ndim != 1:
        raise ValueError("setting an array element with a sequence.")
    if count > len(found):
        raise ValueError("iterator too short")
    return found if count < 0 else found[:count]


def apply_along_axis(func1d: Any, axis: Any, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """np.apply_along_axis: a loop over the lines."""
    lines = np.moveaxis(np.asarray(arr), axis, -1)
    if lines.ndim == 1:
        return np.asarray(func1d(lines, *args, **kwargs))
    flat = lines if lines.ndim == 2 else lines.reshape((-1, lines.shape[-1]))
    found = np.asarray([func1d(line, *args, **kwargs) for line in flat])
    whole = found if lines.ndim == 2 else found.reshape((*lines.shape[:-1], *found.shape[1:]))
    if found.ndim == 1:
        return whole
    k = axis % lines.ndim
    made = found.ndim - 1
    return np.moveaxis(whole, tuple(range(-made, 0)), tuple(range(k, k + made)))


def lanes(n: Any, trip: Any) -> None:
    """vmap: one lane after the other."""
    for b in range(n):
        trip(b)


def apply_over_axes(func: Any, a: Any, axes: Any) -> Any:
    """np.apply_over_axes: one axis after the other, each kept."""
    found = np.asarray(a)
    for axis in [axes] if isinstance(axes, int) else list(axes):
        k = axis % np.ndim(a)
        made = func(found, k)
        found = made if made.ndim == found.ndim else np.expand_dims(made, k)
    return found


def fromfunction(function: Any, shape: Any, *, dtype: Any = float, like: Any = None, **kwargs: Any) -> Any:
    """np.fromfunction: the function of the indices."""
    return function(*np.indices(shape, dtype=dtype), **kwargs)


def delete_slice(arr: Any, obj: Any, axis: Any = None) -> Any:
    """np.delete of a slice."""
    x = np.ravel(arr) if axis is None else np.asarray(arr)
    gone = np.zeros(x.shape[0 if axis is None else axis], dtype=bool)
    gone[obj] = True
    return np.delete(x, gone, 0 if axis is None else axis)


def unique_along(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: Any = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    """np.unique along an axis: lines sorted by one element after the other, the first of equal ones."""
    x = np.asarray(ar)
    if x.dtype.kind == "c":
        return unsupported(
            "unique complex numbers are not supported", "make them of real and imaginary parts"
        )
    lines = np.moveaxis(x, axis, 0)
    n = len(lines)
    keys = lines.reshape((n, math.prod(lines.shape[1:])))
    order = np.arange(n)
    for k in range(keys.shape[1]):
        order = order[np.argsort(keys[order, keys.shape[1] - 1 - k], kind="stable")]
    ranked = keys[order]
    starts = np.ones(n, dtype=bool)
    starts[1:] = np.any(ranked[1:] != ranked[:-1], axis=1)
    first = order[starts]
    found = [np.moveaxis(lines[first], 0, axis)]
    if return_index:
        found.append(first)
    if return_inverse:
        inverse = np.zeros(n, dtype=np.int64)
        inverse[order] = np.cumsum(starts) - 1
        found.append(inverse)
    if return_counts:
        found.append(np.diff(np.append(np.flatnonzero(starts), n)))
    return tuple(found) if len(found) > 1 else found[0]


def dist(p: Any, q: Any, /) -> Any:
    """math.dist of arrays."""
    a, b = np.asarray(p), np.asarray(q)
    if len(a) != len(b):
        raise ValueError("both points must have the same number of dimensions")
    found = 0.0
    for k in range(len(a)):
        found = math.hypot(found, a[k] - b[k])
    return found


# --- writing in place ---------------------------------------------------------------------------


def place(arr: Any, mask: Any, vals: Any) -> None:
    """np.place: the values one after the other, from the first again where there are too few."""
    chosen = np.asarray(mask).astype(bool)
    values = np.ravel(np.asarray(vals, dtype=arr.dtype))
    arr[chosen] = values[np.arange(np.count_nonzero(chosen)) % values.size]


def putmask(a: Any, mask: Any, values: Any) -> None:
    """np.putmask: the values at the same places, repeated where there are too few."""
    chosen = np.asarray(mask).astype(bool)
    a[chosen] = np.resize(np.asarray(values, dtype=a.dtype), a.shape)[chosen]


def put(a: Any, ind: Any, v: Any, mode: Any = "raise") -> None:
    """np.put: into places of the flattened array."""
    index = np.ravel(ind)
    values = np.ravel(np.asarray(v, dtype=a.dtype))
    if mode == "wrap":
        index = index % a.size
    elif mode == "clip":
        index = np.clip(index, 0, a.size - 1)
    else:
        index = np.where(index < 0, index + a.size, index)
    a[np.unravel_index(index, a.shape)] = values[np.arange(index.size) % values.size]


def put_along_axis(arr: Any, indices: Any, values: Any, axis: Any = -1) -> None:
    """np.put_along_axis: what np.take_along_axis would take."""
    if axis is None:
        if np.ndim(indices) != 1:
            raise ValueError("when axis=None, `indices` must have a single dimension.")
        arr[np.unravel_index(indices, arr.shape)] = values
    else:
        index = list(np.ix_(*[np.arange(n) for n in arr.shape]))
        index[axis] = indices
        arr[tuple(index)] = values


# --- places -------------------------------------------------------------------------------------


def nanargmax(a: Any, axis: Any = None) -> Any:
    """np.nanargmax: an error where there is nothing but nans."""
    gone = np.isnan(a)
    if np.any(np.all(gone, axis=axis)):
        raise ValueError("All-NaN slice encountered")
    return np.argmax(np.where(gone, -np.inf, a), axis=axis)


def nanargmin(a: Any, axis: Any = None) -> Any:
    """np.nanargmin: an error where there is nothing but nans."""
    gone = np.isnan(a)
    if np.any(np.all(gone, axis=axis)):
        raise ValueError("All-NaN slice encountered")
    return np.argmin(np.where(gone, np.inf, a), axis=axis)


def diag_indices_from(arr: Any) -> Any:
    """np.diag_indices_from of an array whose dimensions are equal."""
    n = arr.shape[0]
    for m in arr.shape[1:]:
        if m != n:
            raise ValueError("All dimensions of input must be of equal length")
    index = np.arange(n)
    return (index,) * arr.ndim


# --- comparing ----------------------------------------------------------------------------------


def array_equiv(a1: Any, a2: Any) -> Any:
    """np.array_equiv: equal after broadcasting."""
    a, b = np.asarray(a1), np.asarray(a2)
    same = True
    for k in range(1, min(a.ndim, b.ndim) + 1):
        n, m = a.shape[-k], b.shape[-k]
        same = same and (n == m or n == 1 or m == 1)
    return bool(np.all(a == b)) if same else False


# --- methods of ufuncs --------------------------------------------------------------------------


def accumulate(ufunc: Any, array: Any, axis: Any, dtype: Any) -> Any:
    """ufunc.accumulate: each element with the result so far."""
    found = np.array(array, dtype=dtype)
    lines = np.moveaxis(found, axis, 0)
    for k in range(1, len(lines)):
        lines[k] = ufunc(lines[k - 1], lines[k])
    return found


def reduce(ufunc: Any, array: Any, axis: Any, dtype: Any) -> Any:
    """ufunc.reduce: all elements, from the first on."""
    lines = np.moveaxis(np.asarray(array, dtype=dtype), axis, 0)
    if len(lines) == 0:
        raise ValueError("zero-size array to a reduction that has no identity")
    found = lines[0] * 1
    for k in range(1, len(lines)):
        found = ufunc(found, lines[k])
    return found


def reduceat(ufunc: Any, array: Any, indices: Any, axis: Any, dtype: Any) -> Any:
    """ufunc.reduceat: from one index up to the next; a single element where that is not larger."""
    lines, starts = np.moveaxis(np.asarray(array), axis, 0), np.asarray(indices)
    n, m = len(lines), len(starts)
    found = np.zeros((m, *lines.shape[1:]), dtype=dtype)
    for k in range(m):
        lo = int(starts[k])
        if lo < 0 or lo >= n:
            raise IndexError("an index of reduceat is out of bounds")
        hi = int(starts[k + 1]) if k + 1 < m else n
        if hi > lo:
            found[k] = ufunc.reduce(lines[lo:hi], axis=0)
        else:
            found[k] = lines[lo]
    return np.moveaxis(found, 0, axis)


def outer(ufunc: Any, A: Any, B: Any) -> Any:
    """ufunc.outer: each element with each."""
    a, b = np.asarray(A), np.asarray(B)
    return ufunc(np.reshape(a, (*a.shape, *(1,) * b.ndim)), b)


def at(ufunc: Any, a: Any, indices: Any, b: Any) -> Any:
    """ufunc.at: one index after the other, so that those that occur again count again."""
    index = np.asarray(indices)
    if index.ndim != 1:
        return unsupported("ufunc.at takes a vector of indices", "write a loop")
    values = np.broadcast_to(b, (*index.shape, *a.shape[1:]))
    for k in range(len(index)):
        a[index[k]] = ufunc(a[index[k]], values[k])


def masked(ufunc: Any, *xs: Any, out: Any = None, where: Any, **kw: Any) -> Any:
    """A ufunc with where=: on the chosen elements, so that what is undefined at the others has no part."""
    given = xs[: ufunc.nin]
    y = xs[ufunc.nin] if len(xs) > ufunc.nin else out
    y = y[0] if isinstance(y, tuple) else y
    if y is None:
        return unsupported(
            "where= without out= leaves elements undefined", "give what they are: out=np.zeros_like(x)"
        )
    chosen = np.broadcast_to(where, y.shape)
    if chosen.dtype != bool:
        raise TypeError("where= of a ufunc must be bools")
    parts = [x if np.ndim(x) == 0 else np.broadcast_to(x, y.shape)[chosen] for x in given]
    y[chosen] = ufunc(*parts, **kw) if y.dtype.kind in "fc" else ufunc(*parts, out=y[chosen], **kw)
    return y


PROGRAMS: dict[Any, Callable[..., Any]] = {
    np.poly: poly, np.roots: roots, np.polydiv: polydiv, np.piecewise: piecewise,
    np.geomspace: geomspace, np.apply_along_axis: apply_along_axis, np.fromfunction: fromfunction,
    np.place: place, np.putmask: putmask, np.put: put, np.put_along_axis: put_along_axis,
    np.array_equiv: array_equiv, np.apply_over_axes: apply_over_axes, np.nanargmax: nanargmax,
    np.nanargmin: nanargmin, np.fromiter: fromiter, np.diag_indices_from: diag_indices_from,
}  # fmt: skip

# where an argument is known at run time only
AT_RUN_TIME: dict[Any, tuple[Callable[..., Any], str, int]] = {
    np.linalg.matrix_power: (matrix_power, "n", 1),
}

OF_UFUNCS: dict[str, Callable[..., Any]] = {
    "accumulate": accumulate,
    "reduce": reduce,
    "reduceat": reduceat,
    "outer": outer,
}
