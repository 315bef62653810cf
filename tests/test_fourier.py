"""np.fft through the whole compiler: values, both modes, second order, all lengths and norms."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from oracle import differences
from property.verdicts import lowering_interpreted

import s2sad
from s2sad.emit.numba_library import fourier

RNG = np.random.default_rng(6)
PROGRAMS = [
    lambda x: np.fft.fft(x),
    lambda x: np.fft.fft(x[0], 7),
    lambda x: np.fft.fft(x, 2, axis=0, norm="ortho"),
    lambda x: np.fft.fft(x * (1.0 + 0.5j), norm="forward"),
    lambda x: np.fft.ifft(x, 3, norm="backward"),
    lambda x: np.fft.ifft(np.fft.fft(x) * np.fft.fft(x[::-1])).real,
    lambda x: np.fft.rfft(x),
    lambda x: np.fft.rfft(x[:, :5], axis=1, norm="forward"),
    lambda x: np.fft.rfft(x, 4, axis=0, norm="ortho"),
    lambda x: np.fft.irfft(x * (0.3 + 1.0j)),
    lambda x: np.fft.irfft(x * (0.3 + 1.0j), 7, norm="ortho"),
    lambda x: np.fft.irfft(x * (0.3 + 1.0j), 4, norm="forward"),
    lambda x: np.fft.irfft(np.fft.rfft(x) ** 2, x.shape[1]),
    lambda x: np.fft.hfft(x * (0.3 + 1.0j)) + np.fft.hfft(x * (0.3 - 1.0j), 10),
    lambda x: np.fft.ihfft(x),
    lambda x: np.fft.fft2(x),
    lambda x: np.fft.ifft2(x, s=(2, 4), norm="ortho"),
    lambda x: np.fft.fftn(x, axes=(0,)),
    lambda x: np.fft.ifftn(x),
    lambda x: np.fft.rfft2(x),
    lambda x: np.fft.irfft2(np.fft.rfft2(x) * 2.0, s=x.shape),
    lambda x: np.fft.rfftn(x, s=(4, 4), axes=(0, 1)),
    lambda x: np.fft.irfftn(x * (0.3 + 1.0j)),
    lambda x: np.fft.fftshift(x) * np.fft.ifftshift(x, axes=1) + np.fft.fftshift(x, axes=(0,)),
    lambda x: x * np.fft.fftfreq(x.shape[1], 0.1) + x[:, :1] * np.fft.fftfreq(6),
    lambda x: x[:, :4] * np.fft.rfftfreq(x.shape[1], d=0.5),
]


def text(f: Any) -> str:
    return inspect.getsource(f).strip().removeprefix("lambda x: ").rstrip(",")


def pairing(a: Any, b: Any) -> float:
    return float(np.real(np.sum(np.asarray(a) * np.asarray(b))))


def check(f: Any, jit: bool, second: bool = True) -> None:
    x, dot = RNG.normal(size=(3, 6)), RNG.normal(size=(3, 6))
    given, value = x.copy(), f(x)
    y, y_dot = s2sad.jvp(f, (x,), (dot,), jit=jit)
    np.testing.assert_allclose(y, value, rtol=1e-12, atol=1e-13)
    assert y.dtype == value.dtype
    slope = (f(x + 1e-5 * dot) - f(x - 1e-5 * dot)) / 2e-5
    np.testing.assert_allclose(y_dot, slope, rtol=1e-8, atol=1e-8)
    _, pullback = s2sad.vjp(f, x, jit=jit)
    y_bar = RNG.normal(size=value.shape)
    y_bar = y_bar + 1j * RNG.normal(size=value.shape) if value.dtype.kind == "c" else y_bar
    (x_bar,) = pullback(y_bar)
    assert x_bar.dtype == x.dtype
    assert pairing(y_bar, y_dot) == pytest.approx(pairing(x_bar, dot), rel=1e-11)

    np.testing.assert_array_equal(x, given)
    if not second:
        return

    def power(x: Any) -> Any:
        return np.sum(np.abs(f(x)) ** 2)

    product = s2sad.hvp(power, (x,), (dot,), jit=jit)
    expected = differences(s2sad.grad(power), (x,), (dot,), 1e-4)[0]
    np.testing.assert_allclose(product, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("f", PROGRAMS, ids=text)
def test_emitted(f: Any):
    check(f, False)


@pytest.mark.parametrize("f", PROGRAMS, ids=text)
def test_lowered(f: Any):
    with lowering_interpreted():
        check(f, True)


@pytest.mark.usefixtures("without_numba")
@pytest.mark.parametrize("n", [*range(1, 34), 63, 64, 100, 128, 1000, 1024, 2048])
def test_lines_in_machine_code(n: int):
    x = RNG.normal(size=(3, n)) + 1j * RNG.normal(size=(3, n))
    y, tolerance = np.fft.fft(x), {"rtol": 0, "atol": 4e-15 * np.abs(np.fft.fft(x)).max()}
    np.testing.assert_allclose(TRANSFORM(x), y, **tolerance)
    np.testing.assert_allclose(TRANSFORM(np.asfortranarray(x)), y, **tolerance)
    np.testing.assert_allclose(BACK(y), x, rtol=0, atol=4e-15 * np.abs(x).max())


TRANSFORM, BACK = s2sad.jit(lambda x: np.fft.fft(x)), s2sad.jit(lambda x: np.fft.ifft(x))


@pytest.mark.usefixtures("without_numba")
@pytest.mark.parametrize("k", [2, 5, 8, 10, 20])
def test_compiled(k: int):
    check(PROGRAMS[k], True, second=False)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 12, 16, 17, 100, 128, 1000, 1024])
def test_transform_of_compiled_code(n: int):
    x = RNG.normal(size=n) + 1j * RNG.normal(size=n)
    np.testing.assert_allclose(fourier(x), np.fft.fft(x), rtol=0, atol=4e-15 * np.abs(np.fft.fft(x)).max())


def test_single_precision_stays():
    x = RNG.normal(size=6).astype(np.float32)
    for f in (lambda x: np.fft.fft(x), lambda x: np.fft.irfft(np.fft.rfft(x), 6)):
        y, y_dot = s2sad.jvp(f, (x,), (x,))
        assert y.dtype == y_dot.dtype == f(x).dtype
        assert s2sad.grad(lambda x, f=f: np.sum(np.abs(f(x))))(x).dtype == np.float32
