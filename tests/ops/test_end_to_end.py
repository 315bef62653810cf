"""Every differentiable NumPy call through the whole compiler: values, kinds, both modes, second order."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numeric import pairing

import s2sad

RNG = np.random.default_rng(11)
INPUTS = {
    "A": RNG.normal(size=(3, 4)),
    "B": RNG.normal(size=(4, 2)),
    "S": RNG.normal(size=(3, 3)),
    "T": RNG.normal(size=(2, 3, 4)),
    "V": RNG.normal(size=4),
    "W": RNG.normal(size=3),
    "P": RNG.uniform(0.5, 2.0, size=(3, 4)),
    "X": 1.3,
}
Program = Callable[..., Any]

PROGRAMS: list[Program] = [
    lambda A: np.partition(A, 1, axis=0) * np.maximum.accumulate(A) + np.minimum.accumulate(A, axis=1),
    lambda A: np.quantile(A, [0.1, 0.6], axis=1, method="weibull") + np.quantile(A, 0.3, method="midpoint"),
    lambda A: np.nanmedian(A, axis=0) * np.nanquantile(A, 0.3, axis=0) + np.nanpercentile(A, 70.0),
    lambda V, X: np.delete(V, 1) * np.insert(V[1:], 2, X)[:3] + np.resize(V, 7)[4:],
    lambda A: np.choose(np.array([0, 2, 1, 1]), (A[0], A[1], A[2] * A[0])),
    lambda V: np.unwrap(V * 4.0) * np.unique(V) * np.i0(V),
    lambda X: np.geomspace(X, 9.0, 4) * np.kaiser(4, X) + np.hanning(4) * X,
    lambda V: np.histogram(np.array([0.1, 0.5, 0.6, 0.9]), 3, weights=V)[0],
    lambda V, W: np.poly(V)[1:] * np.poly(W)[0] + np.hypot.outer(V, W)[:, 0],
    lambda A: np.apply_along_axis(np.cumsum, 1, A) * np.piecewise(A, [A > 0], [np.sin, 2.0]),
    lambda A: np.logaddexp.accumulate(A) + np.add.reduceat(A, [0, 2, 1]),
    lambda A: np.sinc(A) + np.sinc(A * 0.01) + np.sinc(A * 0.0),
    lambda V, W: np.polyadd(V, W) + np.polysub(W, V),
    lambda V, W: np.convolve(V, W)[:3] + np.polyder(V) + np.polyint(W)[1:],
    lambda V, W: np.polyder(np.append(V, W), 4),
    lambda V: np.bincount(np.array([0, 2, 2, 5]), V) * np.bincount(np.array([1, 3]), V[:2] ** 2, minlength=6),
    lambda V, A: np.c_[V, A[0]] @ np.c_[A.T, V][:2],
    lambda V, W, A: np.r_[V, W[:2], 1.0][:4] * np.r_[A, A * A][5],
    lambda A: np.add.reduce(A) * np.maximum.reduce(A, axis=1)[0],
    lambda A: np.multiply.reduce(A) - np.minimum.reduce(A),
    lambda A, W: np.cross(A.T, W, axis=-1)[:3] + np.cross(A, A[:, ::-1] ** 2, axis=0)[:, :3],
    lambda A: np.sum(A),
    lambda A: np.sum(A, axis=0),
    lambda A, P: np.linspace(A, P, 5) + np.linspace(A[0], 1.0, 5, endpoint=False, axis=-1).T[:, None],
    lambda A, V: np.kron(A, V) @ np.kron(V, A).T + np.sum(np.kron(A[None], V)),
    lambda A, P: np.vecdot(A, P, axis=0) ** 2,
    lambda A: np.sum(A, axis=0, where=A > 0) + np.max(A, axis=0, where=A > 0, initial=-1.0),
    lambda A, P: np.mean(A, axis=1, where=P > 0.9) + np.prod(A, axis=1, where=P > 0.9),
    lambda A, P: np.var(A, axis=1, where=P > 0.9) + np.std(A, where=P > 0.9, ddof=1),
    lambda T: np.median(T, axis=(0, 2)) + np.median(T, keepdims=True)[0, 0],
    lambda A: np.sum(A, axis=1, keepdims=True),
    lambda A: A.mean(axis=0),
    lambda A: np.prod(A, axis=1),
    lambda A: np.max(A, axis=0),
    lambda A: np.min(A),
    lambda A: np.var(A, axis=1, ddof=1),
    lambda A: np.std(A),
    lambda A: np.ptp(A, axis=0),
    lambda P: np.log(P) + np.sqrt(P) * np.exp(-P),
    lambda P: np.power(P, 2.5),
    lambda P: P ** P,
    lambda P: 2.0 ** P,
    lambda X: np.sin(X) * np.where(X > 0, X, 0.0),
    lambda X: math.erf(X) + math.hypot(X, 2.0) + math.log(X),
    lambda X: max(X, 0.5) * min(X, 2.0) + abs(X),
    lambda A: np.maximum(A, 0.0) * np.minimum(A, A[0]),
    lambda A: np.clip(A, -0.5, 0.5),
    lambda A: np.arctan2(A, A.T.reshape(3, 4)) + np.hypot(A, 1.0) + np.logaddexp(A, A[0]),
    lambda A: np.cumsum(A, axis=1),
    lambda A: np.cumsum(A),
    lambda A: np.cumprod(A, axis=0),
    lambda A, B: A @ B,
    lambda A, V: A @ V,
    lambda W, A: W @ A,
    lambda V: np.dot(V, V),
    lambda T, B: T @ B,
    lambda T, B: np.einsum("aij,jk->aik", T, B),
    lambda S: np.einsum("ii", S),
    lambda S: np.einsum("ij->j", S),
    lambda V, W: np.outer(V, W),
    lambda A: np.inner(A, A),
    lambda A: np.vdot(A, A),
    lambda S: np.trace(S),
    lambda T: np.tensordot(T, T, axes=([1, 2], [1, 2])),
    lambda A: np.transpose(A),
    lambda A: A.T @ A,
    lambda A: np.reshape(A, (2, 6)),
    lambda A: A.reshape(-1),
    lambda A: np.ravel(A),
    lambda A: A.flatten(),
    lambda T: np.swapaxes(T, 0, 2),
    lambda T: np.moveaxis(T, 0, -1),
    lambda A: np.squeeze(A[:1], axis=0),
    lambda A: np.expand_dims(A, 1),
    lambda A: np.concatenate((A, 2 * A), axis=1),
    lambda V: np.stack([V, V * V]),
    lambda V: np.hstack((V, V)),
    lambda V: np.vstack((V, V)),
    lambda V: np.column_stack((V, V)),
    lambda X: np.array([X, X * X, 1.0]),
    lambda X: np.array([[X, 0.0], [1.0, X]]),
    lambda A: np.asarray(A),
    lambda A: np.array(A),
    lambda X: np.full(3, X),
    lambda V: np.full((2, 4), V),
    lambda A, X: np.full_like(A, X),
    lambda X: np.linspace(0.0, X, 5),
    lambda X: np.arange(3) * X,
    lambda A: A.copy(),
    lambda V: np.diag(V),
    lambda A: np.diag(A),
    lambda A: np.triu(A) + np.tril(A, -1),
    lambda A: np.roll(A, 1, axis=0),
    lambda A: np.roll(A, 2),
    lambda A: np.flip(A, 0),
    lambda A: np.repeat(A, 2, axis=1),
    lambda V: np.tile(V, 3),
    lambda V: np.broadcast_to(V, (3, 4)),
    lambda A: np.sort(A, axis=1),
    lambda V: np.sort(V),
    lambda A: np.take(A, [0, 2, 0], axis=1),
    lambda V: V[np.argsort(V)],
    lambda A: np.split(A, 2, axis=1)[0] * 2,
    lambda V: np.array_split(V, 3)[1],
    lambda A: np.diff(A, axis=0),
    lambda A: np.pad(A, 1),
    lambda A: np.pad(A, ((1, 0), (0, 2)), constant_values=3.0),
    lambda V: np.pad(V, 2, mode="edge"),
    lambda A: np.float_power(np.abs(A), 1.5) + np.reciprocal(A) + np.square(A),
    lambda A: np.atleast_2d(A) + np.atleast_1d(A),
    lambda V, W: np.meshgrid(V, W)[0] * np.meshgrid(V, W)[1],
    lambda A: np.median(A, axis=0),
    lambda A: np.percentile(A, 30),
    lambda A: np.average(A, axis=0),
    lambda V: np.interp(0.7, np.arange(4.0), V),
    lambda V: np.interp(V, np.linspace(-5.0, 5.0, 4), V),
    lambda V: np.trapezoid(V),
    lambda V: np.gradient(V),
    lambda V, W: np.convolve(V, W),
    lambda A: np.nansum(A),
    lambda A: np.nan_to_num(A),
    lambda A: np.where(A > 0, A, A * A),
    lambda A: np.round(A) * A,
    lambda A: np.sign(A) * A,
    lambda A: np.floor(A) * A,
    lambda A: np.mod(A, 0.7),
    lambda P: np.log1p(P) + np.expm1(P) + np.log2(P) + np.log10(P) + np.exp2(P) + np.cbrt(P),
    lambda A: np.tan(A / 4) + np.sinh(A) + np.cosh(A) + np.tanh(A) + np.arcsinh(A) + np.arctan(A),
    lambda A: np.arcsin(A / 4) + np.arccos(A / 4) + np.arctanh(A / 4),
    lambda A: np.deg2rad(A) + np.degrees(A),
    lambda A: A.astype(np.float32),
    lambda A: np.sum(A, dtype=np.float32),
    lambda A: np.float64(A[0, 0]) * float(A[0, 1]) * A[1, 1].item(),
    lambda A: A[np.nonzero(A > 0)],
    lambda A: A[np.triu_indices(3)],
    lambda A: A[np.ix_([0, 1], [2, 0])],
    lambda A: np.cov(A),
    lambda A: np.cross(A[:, :3], A[:, 1:]),
    lambda A: np.kron(A[:2, :2], A[1:, 1:]),
    lambda A: np.block([[A, A], [A, A]]),
    lambda A: np.std(A, axis=0) * np.argmax(A) + np.count_nonzero(A > 0),
    lambda A: np.add.reduce(A) + np.multiply.reduce(A) + np.maximum.reduce(A),
    lambda A: np.vander(A[0], 3) @ np.ones(3),
    lambda A: np.polyval([1.0, 2.0, 3.0], A),
    lambda A: np.corrcoef(A),
    lambda A: np.tensordot(A, A, axes=([0], [0])),
    lambda A: np.quantile(A, [0.2, 0.8], axis=1),
    lambda A: np.correlate(A[0], A[1, :2]),
    lambda A: np.select([A > 1.0, A > 0.0], [A, 2.0 * A], 3.0 * A * A),
    lambda A: np.compress([True, False, True], A, axis=0),
    lambda A: np.take_along_axis(A, np.argsort(A, axis=1), axis=1),
    lambda A: np.rot90(A) + np.fliplr(A.T),
    lambda A: np.nanvar(A, axis=0) + np.nanmax(A, axis=0) + np.nancumsum(A[0]),
    lambda A: np.ediff1d(A),
    lambda X: math.atan2(X, 2.0) * math.pow(X, 2.5) + math.fsum((X, X * X)) + math.dist((X, 1.0), (0.0, X)),
    lambda X: float(round(X, 1)) * X + np.float32(X) * 2 + divmod(X, 0.4)[1],
    lambda X: sum((X, X * X, 2.0)) + pow(X, 3) + math.prod((X, X)),
]  # fmt: skip


def name_of(f: Program) -> str:
    line = inspect.getsource(f).strip().rstrip(",")
    return line.removeprefix("lambda ")[:60]


def inputs_of(f: Program) -> list[Any]:
    return [INPUTS[name] for name in inspect.signature(f).parameters]


def like(v: Any, rng: np.random.Generator) -> Any:
    return rng.normal(size=v.shape) if isinstance(v, np.ndarray) else 0.7


def differences(f: Callable[[float], Any], h: float = 1e-4) -> Any:
    one, two = f(h) - f(-h), f(2 * h) - f(-2 * h)
    return (8 * one - two) / (12 * h)


@pytest.mark.parametrize("f", PROGRAMS, ids=name_of)
def test_both_modes(f: Program, rng: np.random.Generator) -> None:
    args = inputs_of(f)
    y = f(*args)
    dots = [like(v, rng) for v in args]
    single = np.asarray(y).dtype == np.float32 or "float32" in name_of(f)

    value, y_dot = s2sad.jvp(f, tuple(args), tuple(dots))
    np.testing.assert_array_equal(value, y)
    assert type(value) is type(y)
    assert type(y_dot) is type(y)
    expected = differences(lambda h: np.asarray(f(*moved(args, dots, h)), dtype=float))
    np.testing.assert_allclose(y_dot, expected, rtol=2e-2 if single else 1e-6, atol=2e-2 if single else 1e-6)

    y_bar = rng.normal(size=np.shape(y)).astype(np.asarray(y).dtype)
    y_bar = y_bar if isinstance(y, np.ndarray) else y_bar[()] if isinstance(y, np.generic) else float(y_bar)
    value, pullback = s2sad.vjp(f, *args)
    bars = pullback(y_bar)
    np.testing.assert_array_equal(value, y)
    for bar, v in zip(bars, args, strict=True):
        assert type(bar) is type(v)
        assert np.shape(bar) == np.shape(v)
    left = pairing(y_bar, y_dot)
    right = sum(pairing(bar, dot) for bar, dot in zip(bars, dots, strict=True))
    assert abs(left - right) <= (1e-4 if single else 1e-11) * max(1.0, abs(left))


def moved(args: list[Any], dots: list[Any], h: float) -> list[Any]:
    return [v + h * d for v, d in zip(args, dots, strict=True)]


SMOOTH = [f for f in PROGRAMS if "float32" not in name_of(f)]


@pytest.mark.parametrize("f", SMOOTH, ids=name_of)
def test_second_order(f: Program, rng: np.random.Generator) -> None:
    args = inputs_of(f)
    dots = [like(v, rng) for v in args]
    weights = rng.normal(size=np.shape(f(*args)))

    def loss(*xs: Any) -> Any:
        y = f(*xs)
        return np.sum(y * y * weights)

    places = tuple(range(len(args)))
    gradient = s2sad.grad(loss, argnums=places)
    found = s2sad.hvp(loss, tuple(args), tuple(dots))
    found = found if isinstance(found, tuple) else (found,)
    for k in places:
        expected = differences(lambda h, k=k: np.asarray(gradient(*moved(args, dots, h))[k]))
        np.testing.assert_allclose(found[k], expected, rtol=1e-6, atol=1e-6)
