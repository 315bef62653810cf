"""What calls that sort by several keys or partly, and running extremes, mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.ir.path import Fancy
from s2sad.ops.call import cast_as, expr, exprs, meaning, one_axis, strong, unsupported, whole
from s2sad.ops.expr import Expr, apply, lift
from s2sad.ops.functions import cast, item_at
from s2sad.ops.meaning_reduce import along_axis


def _places(kth: Any) -> tuple[Expr, ...]:
    places = exprs(kth) if isinstance(kth, tuple | list) or lift(kth).ndim else (lift(kth),)
    for k in places:
        if k.dtype.kind not in "iu":
            raise TypeError("Partition index must be integer")
    return tuple(map(whole, places))


@meaning(np.partition)
def partition(a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None) -> Expr:
    """Return np.partition(a, kth, axis)."""
    x, k = along_axis(expr(a), axis)
    return apply("partition", x, *_places(kth), axis=k)


@meaning(np.argpartition, method="argpartition")
def argpartition(a: Any, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None) -> Expr:
    """Return np.argpartition(a, kth, axis)."""
    x, k = along_axis(expr(a), axis)
    return apply("argpartition", x, *_places(kth), axis=k)


@meaning(np.lexsort)
def lexsort(keys: Any, axis: Any = -1) -> Expr:
    """Return np.lexsort(keys) of vectors: stable sorts, the last key decides most."""
    xs = exprs(keys)
    if any(x.ndim != 1 for x in xs):
        raise unsupported("np.lexsort of matrices is not supported", "sort line by line")
    one_axis(axis, 1)
    order = apply("argsort", xs[0], axis=0, kind="stable")
    for x in xs[1:]:
        picked = item_at(x, 0, Fancy(), order)
        order = item_at(order, 0, Fancy(), apply("argsort", picked, axis=0, kind="stable"))
    return order


@meaning(np.sort_complex)
def sort_complex(a: Any) -> Expr:
    """Return np.sort_complex(a): sorted, and complex."""
    x = apply("sort", expr(a), axis=expr(a).ndim - 1)
    small = x.dtype.kind in "biu" and x.dtype.itemsize <= 2 and x.dtype.kind != "b"
    kind = x.dtype if x.dtype.kind == "c" else np.dtype(np.complex64 if small else np.complex128)
    return cast(x, kind)


# --- running extremes ---------------------------------------------------------------------------


def _accumulate(op: str) -> Any:
    def accumulate(array: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Expr:
        x = strong(cast_as(expr(array), dtype))
        return apply(op, x, axis=one_axis(axis, x.ndim))

    return accumulate


meaning(np.maximum.accumulate)(_accumulate("cummax"))
meaning(np.minimum.accumulate)(_accumulate("cummin"))
