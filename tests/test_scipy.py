"""scipy.fft, scipy.integrate and scipy.signal: values as SciPy's, both modes, second order."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import scipy.fft
import scipy.integrate
import scipy.signal
from oracle import assert_close, differences, inner

import s2sad

V = np.array([0.4, 1.2, 2.2, 0.9, -0.6, 0.3])
A = np.random.default_rng(5).normal(size=(4, 5))
W = np.array([0.5, -1.0, 2.0])
K = np.array([[0.5, -1.0, 0.3], [2.0, 0.1, 1.0]])
T = np.array([0.0, 0.3, 1.0, 1.1, 2.0])

PROGRAMS = [
    lambda v: scipy.signal.convolve(v, W * v[0]),
    lambda v: scipy.signal.convolve(v, W, mode="same") + scipy.signal.correlate(v, W[:2] * v[1], "same"),
    lambda v: scipy.signal.convolve(W, v, "same")[:3] * scipy.signal.convolve(W[:2], v, "valid")[:3],
    lambda v: scipy.signal.correlate(v, W * v[:3]) + scipy.signal.correlate(W, v, method="fft"),
    lambda v: scipy.signal.correlate(v, v[:2] * W[:2], "valid") * scipy.signal.fftconvolve(v, v[:2], "valid"),
    lambda v: scipy.signal.fftconvolve(v, v * v) * scipy.signal.fftconvolve(v, v, mode="full"),
    lambda v: scipy.signal.fftconvolve(v, W, "same"),
    lambda a: scipy.signal.convolve(a, K * a[0, 0]),
    lambda a: scipy.signal.convolve(a, K, "same") * scipy.signal.correlate(a, a[1:, :3], mode="same"),
    lambda a: scipy.signal.fftconvolve(a, K, mode="same") + scipy.signal.correlate(a, K)[1:, 2:],
    lambda v: np.abs(scipy.signal.fftconvolve(v * (1.0 + 2.0j), W) + scipy.signal.convolve(v, 1j * W)) ** 2,
    lambda v: np.abs(scipy.signal.correlate(v * (1.0 + 2.0j), W + 1j * v[:3])) ** 2,
    lambda a: scipy.integrate.simpson(a) * scipy.integrate.simpson(a[:, :4], axis=1),
    lambda a: scipy.integrate.simpson(a, axis=0, dx=0.5) * scipy.integrate.simpson(a[:3], axis=0, dx=a[0, 0]),
    lambda a: scipy.integrate.simpson(a, x=T) + scipy.integrate.simpson(a[:, :4], x=np.exp(T[1:])),
    lambda a: scipy.integrate.simpson(a[:, :2], x=T[:2]) * scipy.integrate.simpson(a[:, 2:4]),
    lambda a: scipy.integrate.simpson(a, x=np.cumsum(np.exp(a), axis=1)) * np.sum(a, axis=1),
    lambda a: scipy.integrate.simpson(a, x=np.cumsum(np.exp(a[:, 0])), axis=0),
    lambda a: scipy.integrate.trapezoid(a, T) * scipy.integrate.trapezoid(a, dx=0.3, axis=1),
    lambda a: scipy.integrate.cumulative_trapezoid(a, T) * scipy.integrate.cumulative_trapezoid(a, a * a),
    lambda a: scipy.integrate.cumulative_trapezoid(a, dx=0.5, axis=0, initial=0),
    lambda a: np.abs(scipy.fft.fft(a, 7, norm="ortho", workers=1)) ** 2,
    lambda a: np.abs(scipy.fft.rfft(a, axis=0, overwrite_x=False)) ** 2,
    lambda a: scipy.fft.irfft(scipy.fft.rfft(a) ** 2, 5) + scipy.fft.ifft(scipy.fft.fft(a) ** 2).real,
    lambda a: scipy.fft.hfft(a + 0.0j, 6) * np.abs(scipy.fft.ihfft(a, 10)),
    lambda a: np.abs(scipy.fft.fft2(a)) ** 2 + np.abs(scipy.fft.ifft2(a)) ** 2,
    lambda a: scipy.fft.irfft2(scipy.fft.rfft2(a) ** 2, (4, 5)) * scipy.fft.fftshift(a, axes=1),
    lambda a: np.abs(scipy.fft.fftn(a, (3, 4), norm="forward") + scipy.fft.ifftn(a, (3, 4))) ** 2,
    lambda a: scipy.fft.irfftn(scipy.fft.rfftn(a, axes=(1, 0)) ** 2, (5, 4), axes=(1, 0)),
    lambda a: a * scipy.fft.fftfreq(5, 0.1) + scipy.fft.ifftshift(a)[:, :1] * scipy.fft.rfftfreq(9),
]


def text(f: Any) -> str:
    return inspect.getsource(f).strip().removeprefix("lambda ").rstrip(",")


def assert_right(f: Any, x: Any, jit: bool, twice: bool = True) -> None:
    """Check value, both modes and, `twice`, second order."""
    given, dot = x.copy(), np.random.default_rng(0).normal(size=x.shape)
    value = f(x)
    y, y_dot = s2sad.jvp(f, (x,), (dot,), jit=jit)
    assert type(y) is type(value)
    assert_close([y], [value], 1e-13, "value")
    assert_close([y_dot], differences(f, (x,), (dot,), 1e-3), 1e-8, "tangent")
    y, pullback = s2sad.vjp(f, x, jit=jit)
    y_bar = np.random.default_rng(1).normal(size=np.shape(value))
    (x_bar,) = pullback(y_bar)
    left, right = inner((y_bar,), (y_dot,)), inner((x_bar,), (dot,))
    assert abs(left - right) <= 1e-12 * max(1.0, abs(left))
    np.testing.assert_array_equal(x, given)
    if not twice:
        return

    def total(x: Any) -> Any:
        return np.sum(f(x) * 0.5)

    second = s2sad.hvp(total, (x,), (dot,), jit=jit)
    assert_close([second], differences(s2sad.grad(total), (x,), (dot,), 1e-3), 1e-6, "second order")


@pytest.mark.parametrize("f", PROGRAMS, ids=text)
def test_value_and_modes(f: Any):
    assert_right(f, V if text(f).startswith("v:") else A, False, twice=f in PROGRAMS[::3])


def compiled(v: Any) -> Any:
    y = np.sum(scipy.signal.convolve(v, W * v[0], "same") * scipy.signal.correlate(v, W, "same"))
    y = y + scipy.integrate.simpson(v * v) + scipy.integrate.simpson(v[1:] ** 2, x=T)
    return y + np.sum(scipy.integrate.cumulative_trapezoid(v, dx=0.5, initial=0) * v)


def test_compiled():
    value, bar = s2sad.value_and_grad(compiled, jit=True)(V)
    assert_close([value], [compiled(V)], 1e-13, "value")
    assert_close([bar], [s2sad.grad(compiled)(V)], 1e-12, "gradient")


REFUSED = [
    lambda v: scipy.signal.convolve(np.outer(v, v), K, "valid"),
    lambda v: scipy.signal.fftconvolve(np.outer(v, v), K, axes=0),
    lambda v: scipy.signal.convolve(v, v, "circular"),
    lambda v: scipy.integrate.simpson(v.astype(np.float32)),
]


@pytest.mark.parametrize("f", REFUSED, ids=text)
def test_refused_with_a_location(f: Any):
    with pytest.raises(s2sad.S2sadError, match=r"test_scipy\.py:\d+:\d+: S202"):
        s2sad.jvp(f, (V,), (V,))


def test_axes_are_unique():
    with pytest.raises(s2sad.S2sadError, match="All axes must be unique"):
        s2sad.jvp(lambda a: scipy.fft.fftn(a, axes=(0, 0)), (A,), (A,))
