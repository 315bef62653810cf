"""What calls of np.fft mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from s2sad.ops.call import expr, meaning, one_axis, strong, unsupported
from s2sad.ops.declare import literal_value
from s2sad.ops.expr import Expr, apply, lift
from s2sad.ops.functions import conj, size, span_at


def _operand(a: Any) -> Expr:
    x = strong(expr(a))
    if not x.ndim:
        raise ValueError("cannot transform a number: the array has no axes")
    return x


def _norm(norm: Any) -> str | None:
    if norm not in (None, "backward", "forward", "ortho"):
        raise ValueError(f'Invalid norm value {norm}; should be "backward", "ortho" or "forward".')
    return None if norm == "backward" else norm


def _fitted(x: Expr, n: Any, axis: int) -> Expr:
    """x cut or filled up with zeros to n elements along the axis."""
    if n is None:
        return x
    m = lift(n)
    if m.type == size(x, axis).type and literal_value(m) is None:
        return x
    cut = span_at(x, axis, hi=m)
    widths: list[Any] = [0] * (2 * x.ndim)
    widths[2 * axis + 1] = m - size(cut, axis)
    return apply("pad", cut, *widths)


def _along(op: str, a: Any, n: Any, axis: Any, norm: Any) -> Expr:
    x = _operand(a)
    k = one_axis(axis, x.ndim)
    return apply(op, _fitted(x, n, k), axis=k, norm=_norm(norm))


@meaning(np.fft.fft)
def fft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Expr:
    """Return np.fft.fft(a)."""
    return _along("fft", a, n, axis, norm)


@meaning(np.fft.ifft)
def ifft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Expr:
    """Return np.fft.ifft(a)."""
    return _along("ifft", a, n, axis, norm)


@meaning(np.fft.rfft)
def rfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Expr:
    """Return np.fft.rfft(a)."""
    x = _operand(a)
    if x.dtype.kind == "c":
        raise unsupported("rfft of complex numbers is not supported", "take the real part first")
    return _along("rfft", x, n, axis, norm)


@meaning(np.fft.irfft)
def irfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Expr:
    """Return np.fft.irfft(a)."""
    x = _operand(a)
    k = one_axis(axis, x.ndim)
    m = lift(n) if n is not None else 2 * (size(x, k) - 1)
    return apply("irfft", x if n is None else _fitted(x, m // 2 + 1, k), m, axis=k, norm=_norm(norm))


OPPOSITE = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}


@meaning(np.fft.hfft)
def hfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Expr:
    """Return np.fft.hfft(a)."""
    return irfft(conj(_operand(a)), n, axis, OPPOSITE[_norm(norm)])


@meaning(np.fft.ihfft)
def ihfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Expr:
    """Return np.fft.ihfft(a)."""
    return conj(rfft(a, n, axis, OPPOSITE[_norm(norm)]))


# --- along several axes -------------------------------------------------------------------------

Axes = list[tuple[int, Any]]


def _axes(x: Expr, s: Any, axes: Any) -> Axes:
    """The axes with the lengths that are asked for, as NumPy takes them."""
    if axes is None:
        axes = range(x.ndim) if s is None else range(x.ndim - len(s), x.ndim)
    found = [one_axis(k, x.ndim) for k in axes]
    lengths = [None] * len(found) if s is None else list(s)
    if len(lengths) != len(found):
        raise ValueError("Shape and axes have different lengths.")
    return list(zip(found, lengths, strict=True))


def _each(function: Callable[..., Expr], x: Expr, axes: Axes, norm: Any) -> Expr:
    for axis, n in reversed(axes):
        x = function(x, n, axis, norm)
    return x


@meaning(np.fft.fftn, static="s")
def fftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Expr:
    """Return np.fft.fftn(a)."""
    x = _operand(a)
    return _each(fft, x, _axes(x, s, axes), norm)


@meaning(np.fft.ifftn, static="s")
def ifftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Expr:
    """Return np.fft.ifftn(a)."""
    x = _operand(a)
    return _each(ifft, x, _axes(x, s, axes), norm)


@meaning(np.fft.rfftn, static="s")
def rfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Expr:
    """Return np.fft.rfftn(a)."""
    x = _operand(a)
    *others, (axis, n) = _axes(x, s, axes)
    return _each(fft, rfft(x, n, axis, norm), others, norm)


@meaning(np.fft.irfftn, static="s")
def irfftn(a: Any, s: Any = None, axes: Any = None, norm: Any = None, out: Any = None) -> Expr:
    """Return np.fft.irfftn(a)."""
    x = _operand(a)
    *others, (axis, n) = _axes(x, s, axes)
    return irfft(_each(ifft, x, others[::-1], norm), n, axis, norm)


@meaning(np.fft.fft2, static="s")
def fft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Expr:
    """Return np.fft.fft2(a)."""
    return fftn(a, s, axes, norm)


@meaning(np.fft.ifft2, static="s")
def ifft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Expr:
    """Return np.fft.ifft2(a)."""
    return ifftn(a, s, axes, norm)


@meaning(np.fft.rfft2, static="s")
def rfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Expr:
    """Return np.fft.rfft2(a)."""
    return rfftn(a, s, axes, norm)


@meaning(np.fft.irfft2, static="s")
def irfft2(a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None, out: Any = None) -> Expr:
    """Return np.fft.irfft2(a)."""
    return irfftn(a, s, axes, norm)


# --- order and frequencies ----------------------------------------------------------------------


def _shifted(x: Any, axes: Any, back: bool) -> Expr:
    a = expr(x)
    chosen = range(a.ndim) if axes is None else axes if isinstance(axes, tuple | list) else (axes,)
    for axis in chosen:
        k = one_axis(axis, a.ndim)
        half = size(a, k) // 2
        a = apply("roll", a, -half if back else half, axis=k)
    return a


@meaning(np.fft.fftshift)
def fftshift(x: Any, axes: Any = None) -> Expr:
    """Return np.fft.fftshift(x)."""
    return _shifted(x, axes, False)


@meaning(np.fft.ifftshift)
def ifftshift(x: Any, axes: Any = None) -> Expr:
    """Return np.fft.ifftshift(x)."""
    return _shifted(x, axes, True)


@meaning(np.fft.fftfreq)
def fftfreq(n: Any, d: Any = 1.0, device: Any = None) -> Expr:
    """Return np.fft.fftfreq(n, d)."""
    m = lift(n)
    half = (m - 1) // 2 + 1
    k = apply("concatenate", apply("arange", 0, half, 1), apply("arange", -(m // 2), 0, 1), axis=0)
    return k * (1.0 / (m * lift(d)))


@meaning(np.fft.rfftfreq)
def rfftfreq(n: Any, d: Any = 1.0, device: Any = None) -> Expr:
    """Return np.fft.rfftfreq(n, d)."""
    m = lift(n)
    return apply("arange", 0, m // 2 + 1, 1) * (1.0 / (m * lift(d)))
