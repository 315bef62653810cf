"""Equations in complex numbers, analytic or not."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import differences

import s2sad

A = np.array([[2.0 + 1j, 0.5 - 0.2j], [0.3j, 1.0 - 1.5j]])
B = np.array([1.0 - 0.5j, 0.25 + 2j])
DOT = np.array([0.5 + 1.5j, -1.0 + 0.25j])


def pairing(a, b):
    return float(np.real(np.sum(a * b)))


@s2sad.custom_root(lambda x, a: x**2 - a)
def square_root(x, a):
    for _ in range(30):
        x = 0.5 * (x + a / x)
    return x


@s2sad.custom_root(lambda x, a: np.conj(x) * x * x - a)
def of_lengths(x, a):
    for _ in range(200):
        x = x - 0.1 * (np.conj(x) * x * x - a)
    return x


@s2sad.custom_fixed_point(lambda x, a: 0.3 * np.abs(x) + a)
def fixed(x, a):
    for _ in range(80):
        x = 0.3 * np.abs(x) + a
    return x


def system(b):
    def product(x):
        y = 0.0 * x
        for i in range(2):
            y[i] = np.vdot(A[i], x)  # the constant one is conjugated
        return y

    return s2sad.custom_linear_solve(product, b)


SOLVED = [
    lambda a: square_root(1.0 + a, a),
    lambda a: square_root(1.0 + a[0], a[0]),
    lambda a: of_lengths(1.0 + 0 * a, a),
    lambda a: of_lengths(1.0 + 0 * a[1], a[1]),
    lambda a: fixed(1.0 + a, a),
    lambda a: fixed(1.0 + a[0], a[0]),
    system,
    lambda b: s2sad.custom_linear_solve(lambda x: A[0, 0] * x * b[1] + x.real, b[0]),
    lambda b: s2sad.custom_linear_solve(lambda x: np.conj(x) * b + np.vdot(x, A[0]) * b[::-1], b),
    lambda b: s2sad.custom_linear_solve(lambda x: x[::-1] * (2.0 + 1j) + x.imag, b),
]


@pytest.mark.parametrize("f", SOLVED)
def test_derivatives(f):
    value, slope = f(B), differences(f, (B,), (DOT,))[0]
    for jit in (False, f is SOLVED[2]):
        y, y_dot = s2sad.jvp(f, (B,), (DOT,), jit=jit)
        np.testing.assert_allclose(y, value, rtol=1e-10)
        np.testing.assert_allclose(y_dot, slope, rtol=1e-8, atol=1e-9)
        seed = np.broadcast_to(A[0], (*np.shape(value), 2))[..., 1]
        (bar,) = s2sad.vjp(f, B, jit=jit)[1](seed)
        assert pairing(bar, DOT) == pytest.approx(pairing(seed, slope), rel=1e-8)

    def twice(p, q):
        return np.sum(np.abs(f(p + 1j * q)) ** 2)

    parts, dots = (B.real.copy(), B.imag.copy()), (DOT.real.copy(), DOT.imag.copy())
    product = s2sad.hvp(twice, parts, dots)
    expected = differences(s2sad.grad(twice, argnums=(0, 1)), parts, dots)
    for found, wanted in zip(product, expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)


REFUSED = {
    "S118 a complex system of": [
        lambda b: s2sad.solvers.cg(lambda x: A @ x, b),
        lambda b: s2sad.custom_linear_solve(lambda x: A @ x, b, s2sad.solvers.bicgstab),
        lambda b: s2sad.custom_linear_solve(lambda x: A @ x, b, s2sad.solvers.gmres),
    ],
    "S118 a complex y0 of odeint": [
        lambda b: s2sad.odeint(lambda y, t: 1j * y, b, np.array([0.0, 1.0])),
        lambda b: s2sad.odeint(lambda y, t: 1j * y, b, np.array([0.0, 1.0]), adjoint="continuous"),
    ],
}


@pytest.mark.parametrize(("why", "f"), [(why, f) for why, each in REFUSED.items() for f in each])
def test_others_are_refused(why, f):
    for call in (lambda: s2sad.jvp(f, (B,), (DOT,)), lambda: s2sad.vjp(f, B)[1](DOT)):
        with pytest.raises(s2sad.S2sadError, match=rf"py:\d+:\d+: {why}"):
            call()


def test_what_is_refused_raises_in_python():
    for f in (each[0] for why, each in REFUSED.items() if "S118" in why):
        with pytest.raises(NotImplementedError, match="is not supported"):
            f(B)
