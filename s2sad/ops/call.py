"""What a Python-level call means: the record, its registry, and how arguments are read.

`@meaning(np.sum, method="sum", static="axis keepdims")` above a function says that a call of np.sum
is what the function returns. The function's parameters are NumPy's; dynamic ones arrive as Exprs.
"""

from __future__ import annotations

import functools
import inspect
import operator
from collections.abc import Callable
from typing import Any, Literal, TypeVar

import numpy as np

from s2sad.errors import TypeMismatch, UnsupportedOp
from s2sad.ir.types import INT, Dtype, Scalar
from s2sad.ops.declare import literal_value
from s2sad.ops.expr import Expr, apply, lift
from s2sad.ops.functions import cast, reshape, size, take_at
from s2sad.record import dataclass

Function = TypeVar("Function", bound=Callable[..., Any])
Casting = Literal["no", "equiv", "safe", "same_kind", "unsafe"]


@dataclass(frozen=True, slots=True)
class Call:
    """The meaning of a callable: `expand` takes bound arguments and returns an Expr, a tuple of
    Exprs or a Python value; the parameters named in `static` must be Python values."""

    name: str
    expand: Callable[..., Any]
    marked: tuple[str, ...] = ()
    given: inspect.Signature | None = None

    @property
    def signature(self) -> inspect.Signature:
        """Return the signature, read when it is asked for: there are hundreds of meanings."""
        return self.given if self.given is not None else _signature(self.expand)

    @property
    def static(self) -> frozenset[str]:
        """Return the names of parameters that must be Python values."""
        return frozenset(n for n in (*ALWAYS_STATIC, *self.marked) if n in self.signature.parameters)

    @property
    def is_ufunc(self) -> bool:
        """True for ufuncs: an `out` array takes part in their broadcast."""
        return {"out", "subok"} <= self.signature.parameters.keys()


FUNCTIONS: dict[Any, Call] = {}
METHODS: dict[str, Call] = {}
ATTRIBUTES: dict[str, Call] = {}

ALWAYS_STATIC = ("axis", "axes", "dtype", "keepdims", "order", "casting", "subok", "like", "device", "mode",
                 "kind", "side", "ddof", "correction", "out", "axis1", "axis2", "offset", "copy",
                 "indexing", "sparse", "endpoint", "retstep", "optimize", "signature")  # fmt: skip


def meaning(*callables: Any, method: str = "", static: str = "") -> Callable[[Function], Function]:
    """Return a decorator that registers a function as what calls of `callables` and of the array
    method mean. Parameters called as in ALWAYS_STATIC, and those in `static`, are static."""

    def register(function: Function) -> Function:
        call = make_call(function.__name__.rstrip("_"), function, static)
        for c in callables:
            if c is not None:  # a function that this version of NumPy does not have
                FUNCTIONS[c] = call
        if method:
            METHODS[method] = call
        return function

    return register


def make_call(
    name: str, function: Callable[..., Any], static: str = "", signature: inspect.Signature | None = None
) -> Call:
    """Return the Call for a function."""
    return Call(name, function, tuple(static.split()), signature)


_signature = functools.cache(inspect.signature)


# --- reading arguments --------------------------------------------------------------------------


def unsupported(why: str, instead: str = "") -> UnsupportedOp:
    """Return the error for an argument that is not supported."""
    return UnsupportedOp("S202", why, instead)


def only(name: str, value: Any, *accepted: Any) -> None:
    """Raise S202 unless an option has one of the accepted values."""
    if isinstance(value, Expr):
        known = literal_value(value)
        if known is None:
            raise unsupported(f"{name}= of an array or a variable is not supported", f"leave out {name}=")
        value = known
    if not any(value is a or (isinstance(a, str) and value == a) for a in accepted):
        raise unsupported(f"{name}={value!r} is not supported", f"leave out {name}=")


def one_axis(axis: Any, rank: int) -> int:
    """Return an axis as a non-negative int."""
    k = operator.index(axis)
    if not -rank <= k < rank:
        raise TypeMismatch("S326", f"axis {k} is out of bounds for rank {rank}", "check the axis")
    return k % rank if rank else 0


def some_axes(axis: Any, rank: int) -> tuple[int, ...] | None:
    """Return a reduction's axes: None, or a sorted tuple of non-negative ints."""
    if axis is None:
        return None
    if not isinstance(axis, tuple | list):
        if not rank:
            one_axis(axis, 1)  # NumPy allows 0 and -1
            return None
        return (one_axis(axis, rank),)
    found = tuple(sorted(one_axis(k, rank) for k in axis))
    if len(set(found)) != len(found):
        raise TypeMismatch("S326", f"axis {axis} has duplicates", "name each axis once")
    return found


def dtype_of(dtype: Any) -> Dtype | None:
    """Return a dtype argument as np.dtype, None for None."""
    return None if dtype is None else np.dtype(dtype)


def expr(x: Any, dtype: Any = None) -> Expr:
    """Return an argument that may be a number, an array or nested tuples of them as an Expr; what
    is written as a list becomes an array, a number stays one unless a dtype is given."""
    if isinstance(x, tuple | list):
        x = listed(tuple(x))
    x = lift(x)
    return x if dtype is None else cast(x, np.dtype(dtype))


def cast_as(e: Expr, dtype: Any, casting: Casting = "same_kind") -> Expr:
    """Return e in the dtype that a call asks for (None: as it is), under NumPy's casting rule."""
    if dtype is None:
        return e
    if not np.can_cast(e.dtype, np.dtype(dtype), casting):
        raise cannot_cast(e.dtype, np.dtype(dtype), casting)
    return cast(e, np.dtype(dtype))


def cannot_cast(source: Dtype, target: Dtype, casting: Casting = "same_kind") -> TypeMismatch:
    """Return (to be raised) the error for a cast that NumPy does not make by itself."""
    why = f"TypeError: cannot cast from {source} to {target} according to the rule '{casting}'"
    return TypeMismatch("S325", why, "cast with .astype, or take the real part with np.real")


def exprs(xs: Any) -> tuple[Expr, ...]:
    """Return a sequence argument as Exprs."""
    if isinstance(xs, Expr):
        if not xs.ndim:
            raise unsupported("a sequence of arrays is expected here")
        n = xs.dims[0]
        if not n.is_const:
            raise unsupported(
                "an array whose length is not known cannot stand for a sequence",
                "write the sequence as a tuple",
            )
        xs = rows(xs, n.const)
    return tuple(expr(x) for x in xs)


def rows(x: Expr, n: int) -> tuple[Expr, ...]:
    """Return the first n rows of x, as views."""
    return tuple(take_at(x, 0, k) for k in range(n))


def listed(items: tuple[Any, ...]) -> Expr:
    """Return nested lists of numbers and arrays as one array, as np.array does."""
    if not items:
        return apply("zeros", 0, dtype=np.dtype(np.float64))
    flat, shape = _rectangle(items)
    if shape is not None and len(shape) > 1:
        return apply("array_of", *flat, shape=shape)
    inner = tuple(expr(i) for i in items)
    if len({i.ndim for i in inner}) > 1:
        raise TypeMismatch("S327", "the rows of the list differ in rank", "make all rows equally long")
    return apply("stack", *inner, axis=0)


def _rectangle(items: Any) -> tuple[list[Expr], tuple[int, ...] | None]:
    """The scalars of a rectangular nested list and its shape; None if it is not one."""
    if not isinstance(items, tuple | list):
        e = lift(items)
        return [e], None if e.ndim or e.is_array else ()
    parts = [_rectangle(i) for i in items]
    shapes = {shape for _, shape in parts}
    shape = shapes.pop() if len(shapes) == 1 else None
    flat = [e for found, _ in parts for e in found]
    return flat, None if shape is None else (len(items), *shape)


def whole(n: Any) -> Expr:
    """Return a number of elements or indices to compute with: of another integer type than np.int64 as a
    Python int, an array as one of np.int64."""
    e = lift(n)
    if e.dtype.kind not in "iu" or e.dtype == INT:
        return e
    return cast(e, INT) if e.is_array else apply("to_int", e)


def dims(shape: Any) -> tuple[Expr, ...]:
    """Return a shape argument as int Exprs."""
    found = tuple(whole(n) for n in (shape if isinstance(shape, tuple | list) else (shape,)))
    for n in found:
        if n.ndim or n.dtype.kind not in "iu":
            raise unsupported("a shape must be ints", "write it as a tuple of ints")
    return found


def checked_sizes(x: Expr, sizes: dict[int, Expr], message: str) -> Expr:
    """Return x, whose dimensions have to be `sizes`. Where that is not known, reshape raises at run time:
    one dimension after the other, for a product of several may be right by chance."""
    for k, n in sizes.items():
        own, wanted = x.dims[k], n.type.size if isinstance(n.type, Scalar) else None
        if own == wanted:
            continue
        if own.is_const and wanted is not None and wanted.is_const:
            raise ValueError(message)
        x = reshape(x, *(n if j == k else size(x, j) for j in range(x.ndim)))
    return x


def strong(e: Expr) -> Expr:
    """Return e as NumPy holds it: Python numbers become NumPy scalars."""
    return apply("cast", e, dtype=e.dtype) if getattr(e.type, "weak", False) else e


def as_rank0(e: Expr) -> Expr:
    """Return e as an array: scalars become arrays of rank 0."""
    return e if e.is_array else apply("array0", e)
