"""Discrete Fourier transforms: np.fft along one axis; those along several are made of them.

They are linear, and their matrices are symmetric, so that each is its own transpose, but for what rfft leaves
out and irfft takes twice: the coefficients that are complex conjugates of others (Oppenheim and Schafer,
Discrete-Time Signal Processing, 1989, section 8.6).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.ir.builder import Sizes
from s2sad.ir.types import Array, Dtype, Type
from s2sad.ops.declare import Params, Types, as_size, linear, spell_axis
from s2sad.ops.expr import Expr, apply
from s2sad.ops.functions import arange, conj, size, where

SINGLE = {np.dtype(np.float32), np.dtype(np.complex64)}


def _complex(t: Type) -> Dtype:
    return np.dtype(np.complex64 if t.dtype in SINGLE else np.complex128)


def _real(t: Type) -> Dtype:
    return np.dtype(np.float32 if t.dtype in SINGLE else np.float64)


def _same_shape(types: Types, params: Params, sizes: Sizes) -> Types:
    return (Array(_complex(types[0]), types[0].shape),)


def _resized(t: Type, axis: int, n: Any, dtype: Dtype) -> Types:
    return (Array(dtype, (*t.shape[:axis], n, *t.shape[axis + 1 :])),)


def _call(function: Any) -> Any:
    return lambda x, *n, axis, norm=None: function(x, *n, axis=axis, norm=norm)


def _weights(g: Expr, n: Expr, axis: int) -> Expr:
    """1 for the coefficients that are there once, 2 for those that stand for their conjugates too."""
    k = arange(0, size(g, axis), 1)
    once = apply("bitwise_or", k.eq(0), apply("equal", 2 * k, n))
    w = where(once, 1.0, 2.0)
    return apply("cast", _along(w, g, axis), dtype=_real(g.type)) if g.dtype in SINGLE else _along(w, g, axis)


def _along(w: Expr, g: Expr, axis: int) -> Expr:
    from_axis = g.ndim - 1 - axis
    return apply("reshape", w, size(w, 0), *([1] * from_axis)) if from_axis else w


for name in ("fft", "ifft"):
    linear(
        name,
        _call(getattr(np.fft, name)),
        lambda g, x, y, axis, norm=None, name=name: (apply(name, g, axis=axis, norm=norm),),
        f"np.fft.{name}",
        spell=spell_axis(f"fft.{name}", -1),
        infer=_same_shape,
        cost=100,
    )


def _rfft_transpose(g: Expr, x: Expr, y: Expr, axis: int, norm: str | None = None) -> tuple[Expr]:
    n = size(x, axis)
    halves = conj(g) / _weights(g, n, axis)
    # irfft with the norm of the other direction divides by what rfft does not
    return (apply("irfft", halves, n, axis=axis, norm=_other(norm)),)


def _irfft_transpose(
    g: Expr, x: Expr, n: Expr, y: Expr, axis: int, norm: str | None = None
) -> tuple[Expr, None]:
    found = conj(apply("rfft", g, axis=axis, norm=_other(norm)))
    return found * _weights(found, n, axis), None


def _other(norm: str | None) -> str | None:
    return {None: "forward", "backward": "forward", "forward": None, "ortho": "ortho"}[norm]


linear(
    "rfft",
    _call(np.fft.rfft),
    _rfft_transpose,
    "np.fft.rfft",
    spell=spell_axis("fft.rfft", -1),
    infer=lambda types, params, sizes: _resized(
        types[0], params["axis"], types[0].shape[params["axis"]] // 2 + 1, _complex(types[0])
    ),
    cost=100,
)


def _irfft_infer(types: Types, params: Params, sizes: Sizes) -> Types:
    return _resized(types[0], params["axis"], as_size(types[1], sizes), _real(types[0]))


linear(
    "irfft",
    _call(np.fft.irfft),
    _irfft_transpose,
    "np.fft.irfft",
    spell=spell_axis("fft.irfft", -1),
    infer=_irfft_infer,
    linear_args=(0,),
    cost=100,
)
