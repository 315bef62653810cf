"""What calls that convert between places in an array and in the flattened array, and about dtypes, mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.ops.call import dims, expr, exprs, meaning, only, unsupported, whole
from s2sad.ops.expr import Expr, apply, apply_all
from s2sad.ops.meaning_elementwise import is_weak


@meaning(np.unravel_index)
def unravel_index(indices: Any, shape: Any, order: str = "C") -> tuple[Expr, ...]:
    """Return np.unravel_index(indices, shape)."""
    only("order", order, "C")
    index, sizes = expr(indices), dims(shape)
    if index.dtype.kind not in "iu":
        raise TypeError("only int indices permitted")
    index = whole(index)
    if not 1 <= len(sizes) <= 6:
        raise unsupported(f"np.unravel_index into {len(sizes)} dimensions is not supported", "use // and %")
    return apply_all(f"unravel_index{len(sizes)}", index, *sizes)


@meaning(np.ravel_multi_index)
def ravel_multi_index(multi_index: Any, dims: Any, mode: Any = "raise", order: str = "C") -> Expr:
    """Return np.ravel_multi_index(multi_index, dims)."""
    only("order", order, "C")
    index, sizes = exprs(multi_index), _sizes(dims)
    if len(index) != len(sizes):
        raise ValueError("parameter multi_index must be a sequence of length of dims")
    if any(i.dtype.kind not in "iu" for i in index):
        raise TypeError("only int indices permitted")
    modes = mode if isinstance(mode, tuple | list) else (mode,) * len(sizes)
    kept = []
    for i, n, how in zip(map(whole, index), sizes, modes, strict=True):
        only("mode", how, "raise", "wrap", "clip")
        kept.append(i if how == "raise" else i % n if how == "wrap" else apply("clip", i, 0, n - 1))
    return apply("ravel_multi_index", *kept, *sizes)


def _sizes(shape: Any) -> tuple[Expr, ...]:
    return dims(shape)


@meaning(np.result_type)
def result_type(*arrays_and_dtypes: Any) -> Any:
    """Return np.result_type(...), known before the run."""
    return np.result_type(*(_kind(a) for a in arrays_and_dtypes))


def _kind(a: Any) -> Any:
    if not isinstance(a, Expr):
        return a
    weak = {"b": True, "i": 0, "f": 0.0, "c": 0j}
    return weak[a.dtype.kind] if is_weak(a) else a.dtype
