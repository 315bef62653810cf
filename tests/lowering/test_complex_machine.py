"""Complex numbers in machine code, against NumPy: special values, both precisions, every way in and out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from oracle import inner

import s2sad

pytestmark = pytest.mark.usefixtures("without_numba")
PARTS = np.array([0.0, -0.0, 1.0, -1.5, 0.3, 40.0, np.inf, -np.inf, np.nan])
SPECIAL = (PARTS[:, None] + 1j * 0.0).repeat(9, 1)
SPECIAL.imag = PARTS
SPECIAL = SPECIAL.ravel()
RNG = np.random.default_rng(3)
TAME = RNG.normal(size=40) + 1j * RNG.normal(size=40)

# functions of the C library, which NumPy calls: the same to the last bits, for special values, too
FUNCTIONS: list[Callable[..., Any]] = [
    lambda z: np.exp(z),
    lambda z: np.log(z),
    lambda z: np.sqrt(z),
    lambda z: np.sin(z),
    lambda z: np.cos(z),
    lambda z: np.tan(z),
    lambda z: np.sinh(z),
    lambda z: np.cosh(z),
    lambda z: np.tanh(z),
    lambda z: np.arcsin(z),
    lambda z: np.arccos(z),
    lambda z: np.arctan(z),
    lambda z: np.arcsinh(z),
    lambda z: np.arccosh(z),
    lambda z: np.arctanh(z),
    lambda z: np.abs(z),
    lambda z: np.angle(z),
    lambda z: np.conj(z),
    lambda z: z.real - 2.0 * z.imag,
    lambda z: -z,
    lambda z: z + 2.0,
    lambda z: 1j - z,
    lambda z: np.isnan(z),
    lambda z: np.isinf(z),
    lambda z: np.isfinite(z),
    lambda z: z == z[::-1],
    lambda z: z != 1.0,
    lambda z: np.where(z, 1, 2),
    lambda z: np.logical_not(z),
    lambda z: np.logical_and(z, z.real),
    lambda z: np.rint(z),
]
# of which NumPy has its own ways with infinities
FINITE: list[Callable[..., Any]] = [
    lambda z: np.log2(z),
    lambda z: np.log10(z),
    lambda z: np.log1p(z),
    lambda z: np.expm1(z),
    lambda z: np.exp2(z),
    lambda z: z * z[::-1],
    lambda z: z / z[::-1],
    lambda z: 2.0 / z,
    lambda z: np.reciprocal(z),
    lambda z: np.square(z),
    lambda z: z**2 + z**3 + z**-1 + z**-2 + z**1 + z**0,
    lambda z: z**7,
    lambda z: z**-3,
    lambda z: z ** (0.5 - 1j),
    lambda z: z ** z[::-1],
    lambda z: np.sign(z),
    lambda z: np.sum(z) + np.mean(z) * np.prod(z[:4]),
    lambda z: np.cumsum(z),
    lambda z: z[::2] * z[1::2],
    lambda z: np.dot(z, z) + np.vdot(z, z),
    lambda z: np.outer(z, z) @ z,
    lambda z: z.reshape(8, 5)[:, 1:4] @ np.ones(3),
    lambda z: (z * np.conj(z)).imag,
]


def same(f: Callable[..., Any], z: Any, rtol: float, atol: float) -> None:
    with np.errstate(all="ignore"):
        want, got = f(z), s2sad.jit(f)(z)
    assert np.asarray(got).dtype == np.asarray(want).dtype
    np.testing.assert_allclose(got, want, rtol=rtol, atol=atol)


@pytest.mark.parametrize("f", FUNCTIONS)
def test_functions(f: Callable[..., Any]):
    same(f, SPECIAL, 1e-14, 0.0)
    same(f, TAME, 1e-14, 1e-15)


@pytest.mark.parametrize("f", FINITE)
def test_functions_of_finite_numbers(f: Callable[..., Any]):
    same(f, TAME, 2e-13, 1e-14)


@pytest.mark.parametrize(
    "f",
    [
        lambda z, w: z / w,
        lambda z, w: z * w,
        lambda z, w: z - w,
        lambda z, w: np.reciprocal(z) + w,
        lambda z, w: z**-1 + w,
        lambda z, w: z**-2 + w,
    ],
)
def test_pairs_with_zeros_infinities_and_nan(f: Callable[..., Any]):
    with np.errstate(all="ignore"):
        want, got = f(SPECIAL[:, None], SPECIAL), s2sad.jit(f)(SPECIAL[:, None], SPECIAL)
    np.testing.assert_allclose(got.real, want.real, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(got.imag, want.imag, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("f", [*FUNCTIONS, *FINITE])
def test_single_precision(f: Callable[..., Any]):
    same(f, TAME.astype(np.complex64), 2e-5, 2e-6)


@pytest.mark.parametrize("base", [0j, 1j, 2.0 + 0j, -1.0 + 0j])
@pytest.mark.parametrize("exponent", [0j, 1.0 + 0j, -1.0 + 0j, 2.5 + 0j, 1j, 1.0 - 1j])
def test_powers_of_zero_and_to_zero(base: complex, exponent: complex):
    z, w = np.array([base, 1.0]), np.array([exponent, 1.0])
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(s2sad.jit(lambda z, w: z**w)(z, w), z**w, rtol=1e-14, atol=1e-15)


def test_no_product_of_conjugates_has_an_imaginary_part():
    z = RNG.normal(size=1000) + 1j * RNG.normal(size=1000)
    assert not np.any(s2sad.jit(lambda z: (z * np.conj(z)).imag)(z))


def filtered(x, pole):
    y = np.zeros(len(x), dtype=complex)
    state = 0j
    for i in range(len(x)):
        state = pole * state + x[i]
        y[i] += state if abs(state) < 5.0 else state / abs(state)
    return y, state


@pytest.mark.parametrize("pole", [0.5 + 0.6j, np.complex128(0.2 - 0.9j), np.complex64(0.25 + 0.5j), 0.5])
def test_scalars_carried_and_handed_over(pole: Any):
    x = RNG.normal(size=20) + 0j
    got, want = s2sad.jit(filtered)(x, pole), filtered(x, pole)
    assert [type(g) for g in got] == [type(w) for w in want]
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-6 if pole.__class__ is np.complex64 else 1e-14)


@pytest.mark.parametrize(
    "turn", [lambda z: z[::2], lambda z: z[::-1], lambda z: np.asfortranarray(z), lambda z: z.T]
)
def test_arrays_of_any_layout(turn: Callable[..., Any]):
    z = turn(RNG.normal(size=(6, 6)) + 1j * RNG.normal(size=(6, 6)))
    same(lambda z: z * 2j + np.abs(z), z, 1e-14, 0.0)
    odd = np.zeros(16 * z.size + 4, np.uint8)[4:].view(complex).reshape(z.shape)  # aligned to 4 bytes only
    odd[...] = z
    same(lambda z: z * 2j + np.abs(z), odd, 1e-14, 0.0)


def energy(x):
    z = np.exp(1j * x) * x[::-1]
    total = 0.0
    for k in range(len(z)):
        total += (z[k] * z[k - 1].conjugate()).real / (1.0 + abs(z[k]))
    return total + np.sum(np.abs(np.sqrt(z + 3.0) ** 1.5))


def test_derivatives():
    x, v = RNG.normal(size=7), RNG.normal(size=7)
    step = 1e-6
    slope = (energy(x + step * v) - energy(x - step * v)) / (2.0 * step)
    _, found = s2sad.jvp(energy, (x,), (v,), jit=True)
    assert abs(found - slope) <= 1e-7 * abs(slope)
    gradient = s2sad.grad(energy, jit=True)(x)
    assert abs(inner(gradient, v) - found) <= 1e-12 * abs(found)
    np.testing.assert_allclose(gradient, s2sad.grad(energy)(x), rtol=1e-12)
    product = s2sad.hvp(energy, (x,), (v,), jit=True)
    ahead, back = (s2sad.grad(energy)(x + t * v) for t in (step, -step))
    np.testing.assert_allclose(product, (ahead - back) / (2.0 * step), rtol=1e-6, atol=1e-7)
