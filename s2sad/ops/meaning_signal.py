"""What calls of scipy.signal's convolutions mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.ops.call import expr, only, strong, unsupported
from s2sad.ops.expr import Expr, apply
from s2sad.ops.functions import cast, conj, flip, size, span_at

MODES = ("full", "same", "valid")


def _operands(in1: Any, in2: Any) -> tuple[Expr, Expr]:
    x, y = strong(expr(in1)), strong(expr(in2))
    if x.ndim != y.ndim:
        raise ValueError("in1 and in2 should have the same dimensionality")
    if "b" in (x.dtype.kind, y.dtype.kind):
        raise unsupported("convolutions of bools are not supported", "cast them to floats")
    return x, y


def _part(full: Expr, x: Expr, y: Expr, mode: str) -> Expr:
    """What `mode` keeps of a full convolution: of x's size in the middle, or what needs no padding."""
    if mode == "full":
        return full
    for k in range(x.ndim):
        n, m = size(x, k), size(y, k)
        if mode == "same":
            start = (m - 1) // 2
            full = span_at(full, k, start, start + n)
        else:
            full = span_at(full, k, apply("py_min", n, m) - 1, apply("py_max", n, m))
    return full


def _by_transforms(x: Expr, y: Expr) -> Expr:
    """The product of the transforms of both, each filled up with as many zeros as the other moves it."""
    last = x.ndim - 1
    sizes = [(size(x, k), size(y, k)) for k in range(x.ndim)]
    x = apply("pad", x, *(w for _, m in sizes for w in (0, m - 1)))
    y = apply("pad", y, *(w for n, _ in sizes for w in (0, n - 1)))
    real = "c" not in (x.dtype.kind, y.dtype.kind)
    product = _transformed(x, real) * _transformed(y, real)
    for k in range(last):
        product = apply("ifft", product, axis=k, norm=None)
    if not real:
        return apply("ifft", product, axis=last, norm=None)
    n, m = sizes[last]
    return apply("irfft", product, n + m - 1, axis=last, norm=None)


def _transformed(x: Expr, real: bool) -> Expr:
    last = x.ndim - 1
    x = apply("rfft" if real else "fft", x, axis=last, norm=None)
    for k in range(last):
        x = apply("fft", x, axis=k, norm=None)
    return x


def _convolved(x: Expr, y: Expr, mode: str, by_transforms: bool) -> Expr:
    if not x.ndim:
        return x * y
    if x.ndim > 1 and mode == "valid":
        why = "mode='valid' is supported in one dimension only"
        raise unsupported(why, "slice the full convolution")
    if not by_transforms and x.ndim == 1:
        return _part(apply("convolve", x, y), x, y, mode)
    kind = np.result_type(x.dtype, y.dtype)
    if kind.kind in "iu":
        if not by_transforms:
            raise unsupported("ints in several dimensions are not supported", "cast them to floats")
        kind = np.dtype(np.float64)
    x, y = cast(x, kind), cast(y, kind)
    return _part(_by_transforms(x, y), x, y, mode)


def convolve(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Expr:
    """Return scipy.signal.convolve(in1, in2): directly in one dimension, by Fourier transforms in more."""
    only("mode", mode, *MODES)
    only("method", method, "auto", "direct", "fft")
    x, y = _operands(in1, in2)
    return _convolved(x, y, mode, False)


def correlate(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Expr:
    """Return scipy.signal.correlate(in1, in2)."""
    only("mode", mode, *MODES)
    only("method", method, "auto", "direct", "fft")
    x, y = _operands(in1, in2)
    y = flip(y, *range(y.ndim)) if y.ndim else y
    return _convolved(x, conj(y) if y.dtype.kind == "c" else y, mode, False)


def fftconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Expr:
    """Return scipy.signal.fftconvolve(in1, in2)."""
    only("mode", mode, *MODES)
    only("axes", axes, None)
    x, y = _operands(in1, in2)
    return _convolved(x, y, mode, True)


SIGNAL = (convolve, correlate, fftconvolve)
