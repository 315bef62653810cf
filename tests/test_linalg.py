"""np.linalg through the whole compiler: values, both modes, second order, stacks, emitted and lowered."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from oracle import assert_close, differences, inner, leaves
from property.verdicts import lowering_interpreted

import s2sad

RNG = np.random.default_rng(5)
INPUTS = {
    "S": RNG.normal(size=(3, 3)) + 2.0 * np.eye(3),
    "T": RNG.normal(size=(4, 3)),
    "W": RNG.normal(size=(3, 4)),
    "B": RNG.normal(size=(2, 3, 3)) + 2.0 * np.eye(3),
    "V": RNG.normal(size=3),
    "U": RNG.normal(size=4),
    "R": RNG.normal(size=(2, 3, 2)),
    "Q": RNG.normal(size=(2, 2, 2, 2)) + 3.0 * np.eye(4).reshape(2, 2, 2, 2),
}
INPUTS["P"] = INPUTS["S"] @ INPUTS["S"].T + np.eye(3)
INPUTS["C"] = INPUTS["B"] @ np.swapaxes(INPUTS["B"], 1, 2) + np.eye(3)


def expm_by_eig(a: Any) -> Any:
    w, v = np.linalg.eig(a)
    return (v @ np.diag(np.exp(w)) @ np.linalg.inv(v)).real


PROGRAMS = [
    lambda S, V: np.linalg.solve(S, V),
    lambda S, W: np.linalg.solve(S, W),
    lambda B, R: np.linalg.solve(B, R),
    lambda B, V: np.linalg.solve(B, V),
    lambda S, R: np.linalg.solve(S, R),
    lambda S: np.linalg.inv(S),
    lambda B: np.linalg.inv(B),
    lambda S: np.linalg.det(-S),
    lambda B: np.linalg.det(B),
    lambda S: np.linalg.slogdet(-S)[1],
    lambda B: np.linalg.slogdet(B).logabsdet * np.linalg.slogdet(-B).sign,
    lambda T: np.linalg.pinv(T),
    lambda W: np.linalg.pinv(W),
    lambda B: np.linalg.pinv(B[:, :, :2]),
    lambda P: np.linalg.cholesky(P),
    lambda C: np.linalg.cholesky(C),
    lambda P: np.linalg.cholesky(P, upper=True),
    lambda C: np.linalg.cholesky(C, upper=True),
    lambda W: np.linalg.pinv(W, rcond=1e-10),
    lambda P: np.linalg.pinv(P, hermitian=True) * np.linalg.matrix_rank(P, hermitian=True),
    lambda B: (
        np.linalg.vector_norm(B, axis=(0, 2))
        * np.linalg.vector_norm(B, axis=(2, 1), keepdims=True, ord=3)[0, 0, 0]
    ),
    lambda B: np.linalg.vector_norm(B, keepdims=True, ord=1) * np.linalg.matrix_rank(B).astype(float)[0],
    lambda T: tuple(np.linalg.qr(T)),
    lambda S: np.linalg.qr(S)[0],
    lambda B: np.linalg.qr(B).R,
    lambda T: np.linalg.qr(T, "r"),
    lambda P: tuple(np.linalg.eigh(P)),
    lambda C: np.linalg.eigh(C)[1],
    lambda C: np.linalg.eigvalsh(C),
    lambda P: np.linalg.eigvalsh(P, "U"),
    lambda T: tuple(np.linalg.svd(T, full_matrices=False)),
    lambda W: tuple(np.linalg.svd(W, full_matrices=False)),
    lambda B: tuple(np.linalg.svd(B, full_matrices=False)),
    lambda S: tuple(np.linalg.svd(S)),
    lambda T: np.linalg.svd(T)[1],
    lambda T: np.linalg.svdvals(T),
    lambda W: np.linalg.svd(W, compute_uv=False),
    lambda T, U: np.linalg.lstsq(T, U)[0],
    lambda T, U: np.linalg.lstsq(T, np.stack((U, U * U), axis=1), rcond=None)[0],
    lambda W, V: np.linalg.lstsq(W, V)[0] * np.linalg.lstsq(W, V)[3][0],
    lambda U, T: np.polyfit(U, T[:, 0], 2),
    lambda U, T: np.polyfit(U, T, 1, w=np.abs(T[:, 1])),
    lambda S: np.linalg.matrix_power(S, 5),
    lambda S: np.linalg.matrix_power(S, 3),
    lambda S: np.linalg.matrix_power(S, -2),
    lambda S: np.linalg.matrix_power(S, 0) * S,
    lambda W, T: np.linalg.multi_dot([W, T, W]),
    lambda W, T, V: np.linalg.multi_dot((W, T, V)),
    lambda Q: np.linalg.tensorinv(Q),
    lambda Q, B: np.linalg.tensorsolve(Q, B[:, :2, 0]),
    lambda S: np.linalg.norm(S),
    lambda S: np.linalg.norm(S, "fro"),
    lambda S: np.linalg.norm(S, "nuc"),
    lambda S: np.linalg.norm(S, 1) + np.linalg.norm(S, -1),
    lambda S: np.linalg.norm(S, 2) + np.linalg.norm(S, -2),
    lambda S: np.linalg.norm(S, np.inf) + np.linalg.norm(S, -np.inf),
    lambda V: np.linalg.norm(V) * np.linalg.norm(V, 0),
    lambda V: np.linalg.norm(V, 1) + np.linalg.norm(V, 2) * np.linalg.norm(V, 3),
    lambda V: np.linalg.norm(V, np.inf) + np.linalg.norm(V, -np.inf) + np.linalg.norm(V, 2.5),
    lambda T: np.linalg.norm(T, axis=1),
    lambda B: np.linalg.norm(B, axis=(0, 2), keepdims=True),
    lambda B: np.linalg.norm(B, 2, axis=(1, 2), keepdims=True),
    lambda B: np.linalg.norm(B, 1, axis=(2, 0)),
    lambda B: np.linalg.matrix_norm(B) + np.linalg.vector_norm(B, axis=1)[:, 0],
    lambda S: np.linalg.cond(S),
    lambda S: np.linalg.cond(S, 1) + np.linalg.cond(S, -2),
    lambda B, V: np.linalg.matmul(B, V) + np.linalg.diagonal(B) * np.linalg.trace(B)[:, None],
    lambda P: tuple(np.linalg.eigh(P, "U")),
    lambda V, S: np.linalg.cross(V, S) + np.linalg.outer(V, V) + np.linalg.tensordot(S, S, axes=1),
    lambda B: np.linalg.vecdot(B, np.linalg.matrix_transpose(B)),
]
GENERAL = [
    lambda S: np.linalg.eigvals(S).real ** 2 + np.linalg.eigvals(S).imag,
    lambda S: np.linalg.eig(S)[1].real * 2.0 + np.linalg.eig(S)[1].imag,
    lambda S: (
        (np.linalg.eig(S)[1] @ np.diag(np.exp(np.linalg.eig(S)[0])) @ np.linalg.inv(np.linalg.eig(S)[1])).real
    ),
]
COMPILED = [0, 6, 8, 10, 13, 15, 16, 18, 21, 23, 26, 27, 30, 50]


def text(f: Any) -> str:
    return inspect.getsource(f).strip().removeprefix("lambda ").rstrip(",")


def arguments(f: Any) -> tuple[Any, ...]:
    return tuple(INPUTS[name].copy() for name in inspect.signature(f).parameters)


def check(f: Any, jit: bool, orders: int = 2) -> None:
    args = arguments(f)
    rng = np.random.default_rng(1)
    dots = tuple(rng.normal(size=a.shape) for a in args)
    value = f(*arguments(f))
    y, y_dot = s2sad.jvp(f, args, dots, jit=jit)
    assert_close(leaves(y), leaves(value), 1e-12, "value")
    assert_close(leaves(y_dot), differences(f, args, dots, 1e-4), 1e-7, "tangent")
    bars = [rng.normal(size=np.shape(v)) if np.ndim(v) else float(rng.normal()) for v in leaves(value)]
    _, pullback = s2sad.vjp(f, *args, jit=jit)
    x_bars = pullback(tuple(bars) if isinstance(value, tuple) else bars[0])
    left, right = inner(bars, leaves(y_dot)), inner(x_bars, dots)
    assert abs(left - right) <= 1e-11 * max(1.0, abs(left))
    if orders > 1:

        def total(*xs: Any) -> Any:
            found = f(*xs)
            found = found if isinstance(found, tuple) else (found,)
            s = 0.0
            for k in range(len(bars)):
                s = s + np.sum(bars[k] * found[k] * found[k])
            return s

        gradient = s2sad.grad(total, tuple(range(len(args))))
        second = s2sad.hvp(total, args, dots, jit=jit)
        assert_close(leaves(second), differences(gradient, args, dots, 1e-4), 1e-6, "second order")
    for a, b in zip(args, arguments(f), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("f", [*PROGRAMS, *GENERAL], ids=text)
def test_emitted(f: Any):
    check(f, False)


@pytest.mark.parametrize("f", [*PROGRAMS, *GENERAL], ids=text)
def test_lowered(f: Any):
    with lowering_interpreted():
        check(f, True)


@pytest.mark.parametrize("k", COMPILED, ids=lambda k: text(PROGRAMS[k]))
def test_compiled(k: int):
    check(PROGRAMS[k], True, orders=1)


@pytest.mark.parametrize("f", GENERAL, ids=text)
def test_compiled_general(f: Any):
    check(f, True, orders=1)


def test_compiled_vectors_have_the_signs_of_numpy():
    def f(a: Any, z: Any) -> Any:
        return *np.linalg.eigh(a, "U"), *np.linalg.eigh(z, "U"), *np.linalg.eigh(a)

    a = RNG.normal(size=(40, 5, 5)).astype(np.float32)
    z = RNG.normal(size=(3, 6, 6)) + 1j * RNG.normal(size=(3, 6, 6))
    for found, expected in zip(s2sad.jit(f)(a, z), f(a, z), strict=True):
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("jit", [False, True])
def test_singular_matrices_raise(jit: bool):
    flat = np.ones((2, 2))
    for f in (
        lambda a: np.linalg.inv(a)[0, 0],
        lambda a: np.linalg.det(a),
        lambda a: np.linalg.slogdet(a)[1],
    ):
        with pytest.raises(np.linalg.LinAlgError):
            s2sad.grad(f, jit=jit)(flat)


def test_conventions_at_kinks():
    zero = np.zeros(3)
    for f in (np.linalg.norm, lambda x: np.linalg.norm(x, 3), lambda x: np.linalg.norm(x, axis=0)):
        np.testing.assert_array_equal(s2sad.grad(lambda x, f=f: f(x))(zero), zero)
    half = s2sad.grad(lambda a: np.sum(np.linalg.cholesky(a)))(INPUTS["P"])
    assert not np.triu(half, 1).any()  # NumPy reads the lower triangle
    equal = s2sad.grad(lambda a: np.sum(np.linalg.eigh(a)[1] ** 2))(np.eye(3))
    assert np.isfinite(equal).all()


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_dtypes(dtype: Any):
    a = (np.arange(9).reshape(3, 3) + 5 * np.eye(3)).astype(dtype)
    for f in (
        lambda a: np.linalg.inv(a),
        lambda a: np.linalg.solve(a, a[0]),
        lambda a: np.linalg.det(a),
        lambda a: np.linalg.eigvalsh(a),
        lambda a: np.linalg.norm(a, axis=0),
        lambda a: np.linalg.svd(a)[0],
    ):
        for jit in (False, True):
            with lowering_interpreted():
                y = s2sad.jit(f)(a) if jit else s2sad.jvp(f, (a,), (None,))[0]
            assert np.asarray(y).dtype == np.asarray(f(a)).dtype
            np.testing.assert_allclose(y, f(a), rtol=1e-5)


@pytest.mark.parametrize("jit", [False, True])
def test_least_squares_of_a_nearly_singular_matrix_is_that_of_numpy(jit: bool):
    def f(x, y):
        return np.linalg.lstsq(np.vander(x, 14), y, rcond=None)[0]

    x = np.linspace(0.0, 10.0, 100)
    y = np.sin(x)
    found = s2sad.jit(f)(x, y) if jit else s2sad.vjp(f, x, y)[0]
    np.testing.assert_allclose(found, f(x, y), rtol=1e-5)


def test_rectangles_where_squares_are_needed():
    for f in (lambda a: np.linalg.svd(a)[0][0, 0], lambda a: np.sum(np.linalg.cholesky(a))):
        with pytest.raises((ValueError, np.linalg.LinAlgError)):
            s2sad.grad(f)(INPUTS["W"])
    with pytest.raises(s2sad.S2sadError, match="S325"):
        s2sad.grad(lambda x: np.linalg.det(x))(INPUTS["V"])


COMPLEX = [
    lambda z, b: np.linalg.solve(z, b),
    lambda z, b: np.linalg.inv(z) @ b,
    lambda z, b: np.linalg.det(z) * b,
    lambda z, b: np.linalg.norm(z) * b,
    lambda z, b: np.linalg.eigvals(z) * b,
    lambda z, b: np.linalg.eig(z)[1] @ b,
    lambda z, b: np.linalg.matrix_power(z, 3) @ b,
]


@pytest.mark.parametrize("jit", [False, True], ids=["emitted", "lowered"])
@pytest.mark.parametrize("f", COMPLEX, ids=text)
def test_complex(f: Any, jit: bool):
    rng = np.random.default_rng(3)

    def draw(*shape: int) -> Any:
        return rng.normal(size=shape) + 1j * rng.normal(size=shape)

    args, dots = (draw(3, 3) + 3.0 * np.eye(3), draw(3)), (draw(3, 3), draw(3))
    with lowering_interpreted():
        y, y_dot = s2sad.jvp(f, args, dots, jit=jit)
        _, pullback = s2sad.vjp(f, *args, jit=jit)
        y_bar = draw(3)
        x_bars = pullback(y_bar)
    np.testing.assert_allclose(y, f(*args), rtol=1e-12)
    ahead, behind = (f(*(a + h * d for a, d in zip(args, dots, strict=True))) for h in (1e-5, -1e-5))
    np.testing.assert_allclose(y_dot, (ahead - behind) / 2e-5, rtol=1e-7, atol=1e-7)
    left = np.sum(y_bar * y_dot).real
    right = sum(np.sum(a * b).real for a, b in zip(x_bars, dots, strict=True))
    assert left == pytest.approx(right, rel=1e-11)


def test_norms_of_ints_are_floats():
    v, m = np.array([3, -4]), np.arange(4).reshape(2, 2)
    for f, a in (
        (lambda a: np.linalg.norm(a, 1), v),
        (lambda a: np.linalg.norm(a, np.inf), v),
        (lambda a: np.linalg.norm(a, -np.inf), m),
        (lambda a: np.linalg.norm(a, 1), m),
        (lambda a: np.linalg.norm(a, 0), v),
    ):
        y = s2sad.jvp(f, (a,), (None,))[0]
        assert (type(y), y) == (type(f(a)), f(a))


def test_power_0_of_what_is_not_finite():
    a = np.array([[np.inf, 1.0], [0.0, 2.0]])
    np.testing.assert_array_equal(s2sad.jvp(lambda a: np.linalg.matrix_power(a, 0), (a,), (a,))[0], np.eye(2))


def test_negative_ints_are_not_counted_from_the_end():
    def f(w):
        return np.bincount(np.array([-1, 2]), w)

    for jit in (False, True):
        with lowering_interpreted(), pytest.raises(IndexError):
            s2sad.vjp(f, np.ones(2), jit=jit)


def test_products_of_polynomials_are_refused():
    with pytest.raises(s2sad.S2sadError, match="S202"):
        s2sad.jvp(lambda x: np.polymul(x, x), (np.array([0.0, 1.0]),), (np.ones(2),))


# --- complex matrices ---------------------------------------------------------------------------

Z = RNG.normal(size=(4, 4)) + 1j * RNG.normal(size=(4, 4))
HERMITIAN, POSITIVE = Z + Z.conj().T, Z @ Z.conj().T + np.eye(4)
OBLONG = RNG.normal(size=(3, 5)) + 1j * RNG.normal(size=(3, 5))
COMPLEX = [
    (lambda a: np.linalg.eigh(a)[0], HERMITIAN),
    (lambda a: np.linalg.eigh(a)[1], HERMITIAN),
    (lambda a: np.linalg.eigh(a, "U")[1], HERMITIAN),
    (lambda a: np.linalg.eigvalsh(a), HERMITIAN),
    (lambda a: np.linalg.eigvalsh(a, "U"), HERMITIAN),
    (lambda a: np.linalg.eigh(a)[1], np.stack((HERMITIAN, POSITIVE))),
    (lambda a: np.linalg.cholesky(a), POSITIVE),
    (lambda a: np.linalg.cholesky(a), np.stack((POSITIVE, 2.0 * POSITIVE))),
    (lambda a: np.linalg.slogdet(a)[0], Z),
    (lambda a: np.linalg.slogdet(a)[1], Z),
    (lambda a: np.linalg.svd(a, compute_uv=False), OBLONG),
    (lambda a: np.linalg.norm(a, 2), OBLONG),
]


@pytest.mark.parametrize("k", range(len(COMPLEX)))
def test_complex_matrices(k: int):
    """The phases of vectors are LAPACK's: one element of each is real. Re(g * y_dot) is what is paired."""
    f, a = COMPLEX[k]
    dot = RNG.normal(size=a.shape) + 1j * RNG.normal(size=a.shape)
    y, y_dot = s2sad.jvp(f, (a,), (dot,))
    assert np.result_type(y) == np.result_type(f(a))
    assert_close([y, y_dot], [f(a), differences(f, (a,), (dot,), 1e-4)[0]], 1e-8, "jvp")
    g = RNG.normal(size=np.shape(y)) + (1j * RNG.normal(size=np.shape(y)) if np.iscomplexobj(y) else 0.0)
    bar = s2sad.vjp(f, a)[1](g if np.ndim(y) else g[()])[0]
    assert abs(np.sum(np.real(g * y_dot)) - np.sum(np.real(bar * dot))) <= 1e-12 * np.abs(y_dot).sum()

    def slope(a: Any) -> Any:
        return s2sad.vjp(lambda a: np.sum(np.abs(f(a) + 0.3) ** 2), a)[1](1.0)[0]

    found = s2sad.jvp(slope, (a,), (dot,))[1]
    assert_close([found], differences(slope, (a,), (dot,), 1e-4), 1e-6, "second order")


def test_complex_matrices_as_loop_nests():
    for f, a in COMPLEX:
        with lowering_interpreted():
            assert_close([s2sad.jit(f)(a)], [f(a)], 1e-12, "value")


def test_singular_vectors_of_complex_matrices_are_refused():
    with pytest.raises(s2sad.S2sadError, match="S203 singular vectors of complex matrices"):
        s2sad.vjp(lambda a: np.linalg.svd(a, full_matrices=False)[0], OBLONG)
