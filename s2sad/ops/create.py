"""Arrays from nothing but sizes and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.ir.builder import Sizes
from s2sad.ir.size import Size
from s2sad.ir.types import Array, Scalar, Type
from s2sad.ops.declare import (
    Params,
    Shape,
    Types,
    as_size,
    custom,
    dims_of,
    dtype_text,
    linear,
    nondiff,
    shaped,
)
from s2sad.ops.expr import Expr, apply
from s2sad.ops.functions import full, total, unbroadcast

F8_DEFAULT = {"dtype": np.dtype(np.float64)}

# --- by shape -----------------------------------------------------------------------------------


def _filled(value: int) -> Any:
    return lambda *dims, dtype=None: np.full(dims, value, dtype or np.float64)


def _by_dims(types: Types, params: Params, sizes: Sizes) -> Types:
    return (Array(np.dtype(params.get("dtype") or np.float64), dims_of(types, sizes)),)


for name, value in (("zeros", 0), ("ones", 1), ("empty", 0)):  # what is in `empty` is not defined
    nondiff(name, _filled(value), f"np.{name}", infer=_by_dims, print="dims", defaults=F8_DEFAULT)


def _full(v: Any, *dims: int, dtype: Any = None) -> Any:
    return np.full(dims, v, dtype)


def _spell_full(types: Types, params: Params) -> str:
    n = len(types) - 1
    shape = "{1}" if n == 1 else "(" + ", ".join(f"{{{k + 1}}}" for k in range(n)) + ")"
    dtype = params.get("dtype")
    return f"np.full({shape}, {{0}}" + (f", dtype={dtype_text(dtype)})" if dtype is not None else ")")


linear(
    "full",
    _full,
    lambda g, v, *dims, y, dtype=None: (unbroadcast(g, v), *(None for _ in dims)),
    "np.full",
    spell=_spell_full,
    infer=shaped(_full, lambda types, params, sizes: dims_of(types[1:], sizes)),
    linear_args=(0,),
)

# --- like another array -------------------------------------------------------------------------


def _like(name: str) -> Any:
    function = np.zeros_like if name == "empty_like" else getattr(np, name)

    def evaluate(x: Any, dtype: Any = None) -> Any:
        out = function(x, dtype=dtype)
        return out if isinstance(x, np.ndarray) else out[()]

    return evaluate


def _like_type(t: Type, dtype: Any) -> Type:
    dtype = np.dtype(dtype) if dtype is not None else t.dtype
    return Array(dtype, t.shape) if isinstance(t, Array) else Scalar(dtype)


def _like_infer(types: Types, params: Params, sizes: Sizes) -> Types:
    return (_like_type(types[0], params.get("dtype")),)


def _spell_like(name: str) -> Any:
    def spell(types: Types, params: Params) -> str:
        dtype = params.get("dtype")
        text = f"np.{name}({{}}" + (f", dtype={dtype_text(dtype)})" if dtype is not None else ")")
        return text if isinstance(types[0], Array) else text + "[()]"

    return spell


for name in ("zeros_like", "ones_like", "empty_like"):
    nondiff(name, _like(name), f"np.{name}", spell=_spell_like(name), infer=_like_infer, shape_args=(0,))

linear(
    "full_like",
    lambda x, v, dtype=None: np.full_like(x, v, dtype=dtype),
    lambda g, x, v, y, dtype=None: (None, unbroadcast(g, v)),
    "np.full_like",
    infer=lambda types, params, sizes: (
        Array(np.dtype(params.get("dtype") or types[0].dtype), types[0].shape),
    ),
    linear_args=(1,),
    shape_args=(0,),
)

# --- ranges -------------------------------------------------------------------------------------


def _arange(lo: Any, hi: Any, step: Any, dtype: Any = None) -> Any:
    return np.arange(lo, hi, step, dtype=dtype)


def _arange_shape(types: Types, params: Params, sizes: Sizes) -> Shape:
    lo, hi, step = (t.size if isinstance(t, Scalar) and t.dtype.kind in "iu" else None for t in types)
    if lo is None or hi is None or step is None or not step.is_const or step.const == 0:
        return (sizes.fresh(),)
    if abs(step.const) == 1:
        return (((hi - lo) * step.const).clamped(),)
    return ((-((lo - hi) // step.const)).clamped(),)


def _spell_arange(types: Types, params: Params) -> str:
    known = [t.size if isinstance(t, Scalar) else None for t in types]
    dtype = params.get("dtype")
    tail = f", dtype={dtype_text(dtype)})" if dtype is not None else ")"
    if known[2] == Size.of(1):
        return ("np.arange({1}" if known[0] == Size() else "np.arange({0}, {1}") + tail
    return "np.arange({0}, {1}, {2}" + tail


def _arange_jvp(dots: tuple[Expr | None, ...], args: tuple[Expr, ...], y: Expr, dtype: Any = None) -> Expr:
    lo, _, step = dots
    out = None if lo is None else full(lo, apply("size", y, axis=0), dtype=None)
    if step is not None:
        ramp = step * apply("count_like", y)
        out = ramp if out is None else out + ramp
    return apply("zeros_like", y, dtype=None) if out is None else out


def _arange_vjp(g: Expr, args: tuple[Expr, ...], y: Expr, dtype: Any = None) -> tuple[Expr | None, ...]:
    return total(g), None, total(g * apply("count_like", g))


custom("arange", _arange, _arange_jvp, _arange_vjp, "np.arange", spell=_spell_arange,
       infer=shaped(_arange, _arange_shape), kinks="the end only decides the length")  # fmt: skip


def _linspace(lo: Any, hi: Any, num: int, endpoint: bool = True, dtype: Any = None) -> Any:
    return np.linspace(lo, hi, num, endpoint=endpoint, dtype=dtype)


def _linspace_transpose(
    g: Expr, lo: Expr, hi: Expr, num: Expr, y: Expr, endpoint: bool = True, dtype: Any = None
) -> tuple[Expr | None, ...]:
    part = apply("linspace", 0.0, 1.0, num, endpoint=endpoint, dtype=None)
    return total((1.0 - part) * g), total(part * g), None


linear(
    "linspace",
    _linspace,
    _linspace_transpose,
    "np.linspace",
    infer=shaped(_linspace, lambda types, params, sizes: (as_size(types[2], sizes),)),
    linear_args=(0, 1),
    defaults={"endpoint": True},
)


def _eye(n: int, m: int, k: int = 0, dtype: Any = None) -> Any:
    return np.eye(n, m, k=k, dtype=dtype or np.float64)


def _spell_eye(types: Types, params: Params) -> str:
    n, m = (t.size if isinstance(t, Scalar) else None for t in types)
    text = "np.eye({0}" if n is not None and n == m else "np.eye({0}, {1}"
    text += f", k={params['k']}" if params.get("k") else ""
    dtype = params.get("dtype")
    return text + (f", dtype={dtype_text(dtype)})" if dtype not in (None, np.float64) else ")")


nondiff("eye", _eye, "np.eye", spell=_spell_eye, infer=_by_dims)
