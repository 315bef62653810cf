"""Elementwise functions of NumPy with smooth derivatives, one line each."""

from __future__ import annotations

import math

import numpy as np

from s2sad.ir.op import Alias
from s2sad.ops.arith import AWAY
from s2sad.ops.declare import broadcast_shape, custom, elementwise, linear, nondiff
from s2sad.ops.expr import Expr, apply
from s2sad.ops.functions import (
    absolute,
    conj,
    cos,
    cosh,
    exp,
    nonzero_denominator,
    real,
    sin,
    sinh,
    sqrt,
    where,
)


def _arccosh(g: Expr, x: Expr, y: Expr) -> Expr:
    if x.dtype.kind == "c":  # the root of the product has the other sign where the real part is negative
        return g / (sqrt(x - 1.0) * sqrt(x + 1.0))
    return g / sqrt(x * x - 1.0)


POSITIVE = (0.2, 2.0)
UNIT = (-0.9, 0.9)
NEAR = ((-2.0, 2.0), (-2.0, 2.0))
LN2, LN10, DEGREE = math.log(2.0), math.log(10.0), math.pi / 180.0

elementwise("exp", np.exp, lambda g, x, y: y * g, "np.exp", cost=20)
elementwise("exp2", np.exp2, lambda g, x, y: LN2 * y * g, "np.exp2", cost=20)
elementwise("expm1", np.expm1, lambda g, x, y: (y + 1.0) * g, "np.expm1", cost=20)
elementwise("log", np.log, lambda g, x, y: g / x, "np.log", cost=20, domain=POSITIVE)
elementwise("log2", np.log2, lambda g, x, y: g / (LN2 * x), "np.log2", cost=20, domain=POSITIVE)
elementwise("log10", np.log10, lambda g, x, y: g / (LN10 * x), "np.log10", cost=20, domain=POSITIVE)
elementwise("log1p", np.log1p, lambda g, x, y: g / (1.0 + x), "np.log1p", cost=20, domain=UNIT)

elementwise(
    "sqrt", np.sqrt, lambda g, x, y: 0.5 * g / y, "np.sqrt", cost=6, domain=POSITIVE, kinks="inf at 0"
)
elementwise(
    "cbrt", np.cbrt, lambda g, x, y: g / (3.0 * y * y), "np.cbrt", cost=20, domain=POSITIVE, kinks="inf at 0"
)
elementwise("square", np.square, lambda g, x, y: 2.0 * x * g, "np.square")
elementwise("reciprocal", np.reciprocal, lambda g, x, y: -y * y * g, "np.reciprocal", cost=4, domain=POSITIVE)

elementwise("sin", np.sin, lambda g, x, y: cos(x) * g, "np.sin", cost=20)
elementwise("cos", np.cos, lambda g, x, y: -sin(x) * g, "np.cos", cost=20)
elementwise("tan", np.tan, lambda g, x, y: (1.0 + y * y) * g, "np.tan", cost=20, domain=UNIT)
elementwise("arcsin", np.arcsin, lambda g, x, y: g / sqrt(1.0 - x * x), "np.arcsin", cost=20, domain=UNIT)
elementwise("arccos", np.arccos, lambda g, x, y: -g / sqrt(1.0 - x * x), "np.arccos", cost=20, domain=UNIT)
elementwise("arctan", np.arctan, lambda g, x, y: g / (1.0 + x * x), "np.arctan", cost=20)
elementwise("sinh", np.sinh, lambda g, x, y: cosh(x) * g, "np.sinh", cost=20)
elementwise("cosh", np.cosh, lambda g, x, y: sinh(x) * g, "np.cosh", cost=20)
elementwise("tanh", np.tanh, lambda g, x, y: (1.0 - y * y) * g, "np.tanh", cost=20)
elementwise("arcsinh", np.arcsinh, lambda g, x, y: g / sqrt(x * x + 1.0), "np.arcsinh", cost=20)
elementwise("arccosh", np.arccosh, _arccosh, "np.arccosh", cost=20, domain=(1.2, 3.0))
elementwise("arctanh", np.arctanh, lambda g, x, y: g / (1.0 - x * x), "np.arctanh", cost=20, domain=UNIT)
elementwise("deg2rad", np.deg2rad, lambda g, x, y: DEGREE * g, "np.deg2rad")
elementwise("rad2deg", np.rad2deg, lambda g, x, y: g / DEGREE, "np.rad2deg")


def _sinc(g: Expr, x: Expr, y: Expr) -> Expr:
    """Near 0 by the series: the quotient, and its derivatives still more, would cancel there."""
    z = (math.pi * x) * (math.pi * x)
    series = 1.0 / 3.0 - z * (1.0 / 30.0 - z * (1.0 / 840.0 - z * (1.0 / 45360.0 - z / 3991680.0)))
    far = (cos(math.pi * x) - y) / nonzero_denominator(x)
    return where(absolute(x) < 0.1, -(math.pi * math.pi) * x * series, far) * g


elementwise("sinc", np.sinc, _sinc, "np.sinc", cost=20)


def _arctan2(g: Expr, a: Expr, b: Expr, y: Expr) -> tuple[Expr, Expr]:
    r = apply("hypot", a, b)  # a * a overflows before it does
    return b / r / r * g, -a / r / r * g


def _hypot(g: Expr, a: Expr, b: Expr, y: Expr) -> tuple[Expr, Expr]:
    r = nonzero_denominator(y)
    return a / r * g, b / r * g


def _logaddexp(g: Expr, a: Expr, b: Expr, y: Expr) -> tuple[Expr, Expr]:
    finite = where(y.eq(-math.inf), 0.0, y)  # log(0 + 0): both weights are 0, not exp(nan)
    return exp(a - finite) * g, exp(b - finite) * g


def _logaddexp2(g: Expr, a: Expr, b: Expr, y: Expr) -> tuple[Expr, Expr]:
    finite = where(y.eq(-math.inf), 0.0, y)
    return exp(LN2 * (a - finite)) * g, exp(LN2 * (b - finite)) * g


elementwise("arctan2", np.arctan2, _arctan2, "np.arctan2", cost=20, domain=AWAY, kinks="nan at (0, 0)")
elementwise("hypot", np.hypot, _hypot, "np.hypot", cost=8, commutes=True, kinks="0 at (0, 0)")
elementwise("logaddexp", np.logaddexp, _logaddexp, "np.logaddexp", cost=40, commutes=True)
elementwise("logaddexp2", np.logaddexp2, _logaddexp2, "np.logaddexp2", cost=40, commutes=True)

elementwise("nextafter", np.nextafter, lambda g, x, to, y: (g, None), "np.nextafter", domain=NEAR)
nondiff("spacing", np.spacing, "np.spacing")
for name in ("gcd", "lcm"):
    nondiff(name, getattr(np, name), f"np.{name}")

# --- complex numbers: linear over the reals, transposed and not conjugated ----------------------


def _phase_jvp(dots: tuple[Expr | None, ...], args: tuple[Expr, ...], y: Expr) -> Expr:
    (dot,), (z,) = dots, args
    assert dot is not None
    return (dot - y * real(conj(y) * dot)) / nonzero_denominator(absolute(z))


def _phase_vjp(g: Expr, args: tuple[Expr, ...], y: Expr) -> tuple[Expr]:
    (z,) = args
    return ((g - conj(y) * real(g * y)) / nonzero_denominator(absolute(z)),)


custom(
    "phase",
    np.sign,
    _phase_jvp,
    _phase_vjp,
    "np.sign",
    shape=broadcast_shape,
    doc="np.sign of complex numbers",
)
for name, function, transpose in (
    ("real", np.real, lambda g, x, y: (g,)),
    ("imag", np.imag, lambda g, x, y: (-1j * g,)),
):
    linear(name, function, transpose, f"np.{name}", shape=broadcast_shape, alias=Alias.VIEW, cost=0)
linear("conjugate", np.conjugate, lambda g, x, y: (conj(g),), "np.conj", shape=broadcast_shape)
