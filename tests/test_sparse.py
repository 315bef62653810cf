"""Sparse matrices of SciPy as constants: products in both orders, of all formats, in both modes, compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from oracle import assert_close, differences, inner
from property.verdicts import lowering_interpreted
from scipy.sparse.linalg import spsolve

import s2sad

RNG = np.random.default_rng(4)
DENSE = RNG.normal(size=(5, 4)) * (RNG.random((5, 4)) < 0.5)
X, M = RNG.normal(size=4), RNG.normal(size=(4, 3))
BAND = sp.diags([-1.0, 2.5, -1.0], [-1, 0, 1], shape=(4, 4)).tocsc()
MATRIX, ARRAY = sp.csr_matrix(DENSE), sp.csr_array(DENSE)


def steps(x: Any, a: Any) -> Any:
    y = a @ x
    for _ in range(3):
        y = y + 0.1 * (a @ np.sin(a.T @ y))
    return y * a.shape[0] + a.shape[1]


def powers(x: Any, a: Any) -> Any:
    t = a.transpose()
    return np.cos(t @ (a.dot(x) ** 2)) + x @ t @ a


PROGRAMS: list[tuple[Callable[..., Any], Any, Any]] = [
    (steps, X, MATRIX),
    (powers, X, ARRAY),
    (lambda x, a: a @ x - (x.T @ a.T).T * np.arange(3.0), M, ARRAY),
    (lambda x, a: a * x + a.T.T @ x, X, MATRIX),
    (lambda x, data: data["a"] @ x, X, {"a": ARRAY}),
]
PLAIN_ONLY: list[tuple[Callable[..., Any], Any, Any]] = [
    (lambda x, a: a.toarray() @ x + np.sum(a.diagonal() * x), X, MATRIX),
    (lambda x, a: spsolve(a, x**2) + spsolve(a.T.tocsc(), x), X, BAND),
]


@pytest.mark.parametrize("k", range(len(PROGRAMS) + len(PLAIN_ONLY)))
def test_both_modes(k: int):
    f, x, a = (PROGRAMS + PLAIN_ONLY)[k]
    dot = RNG.normal(size=x.shape)
    y, y_dot = s2sad.jvp(f, (x, a), (dot, None))
    assert_close([y], [f(x, a)], 1e-13, "value")
    assert_close([y_dot], differences(lambda x: f(x, a), (x,), (dot,), 1e-4), 1e-8, "tangent")
    g = RNG.normal(size=y.shape)
    bar = s2sad.vjp(f, x, a)[1](g)[0]
    assert abs(inner((g,), (y_dot,)) - inner((bar,), (dot,))) <= 1e-11 * max(1.0, np.abs(y_dot).max())

    def loss(x: Any) -> Any:
        return np.sum(f(x, a) ** 2)

    slopes = differences(s2sad.grad(loss), (x,), (dot,), 1e-4)
    assert_close([s2sad.hvp(loss, (x,), (dot,))], slopes, 1e-6, "second order")


@pytest.mark.parametrize("k", range(len(PROGRAMS)))
def test_loop_nests(k: int):
    f, x, a = PROGRAMS[k]

    def loss(x: Any, a: Any) -> Any:
        return np.sum(f(x, a) ** 2)

    expected = s2sad.grad(loss)(x, a)
    with lowering_interpreted():
        assert_close([s2sad.grad(loss, jit=True)(x, a)], [expected], 1e-12, "gradient")


def test_every_format():
    def loss(x: Any, a: Any) -> Any:
        return np.sum(steps(x, a) ** 2)

    compiled, expected = s2sad.grad(loss, jit=True), s2sad.grad(loss)(X, MATRIX)
    for form in ("csr", "csc", "coo", "bsr", "lil"):
        for kind in (sp.csr_matrix, sp.csr_array):
            assert_close([s2sad.grad(loss)(X, kind(DENSE).asformat(form))], [expected], 1e-12, form)
    for a in (MATRIX, ARRAY.tocoo()):
        assert_close([compiled(X, a)], [expected], 1e-12, "compiled")


def test_sizes_that_meet_are_checked_in_compiled_code():
    def f(x: Any, a: Any) -> Any:
        return np.sum((x + 0.1 * (a @ x)) ** 2)

    expected = s2sad.grad(f)(X, BAND)
    with lowering_interpreted():
        g = s2sad.grad(f, jit=True)
        assert_close([g(X, BAND)], [expected], 1e-13, "gradient")
        assert_close([g(np.ones(3), BAND[:3, :3])], [s2sad.grad(f)(np.ones(3), BAND[:3, :3])], 1e-13, "other")


def test_captured_and_changed_in_size():
    def f(x: Any) -> Any:
        return np.sum(BAND @ x) + np.sum((MATRIX @ x) ** 2)

    assert_close([s2sad.grad(f)(X)], [BAND.T @ np.ones(4) + 2 * MATRIX.T @ (MATRIX @ X)], 1e-13, "gradient")
    g = s2sad.grad(lambda x, a: np.sum(a @ x))
    for n in (4, 3, 4):
        a = sp.random(n, n, 0.5, format="csr", random_state=n)
        assert_close([g(np.ones(n), a)], [a.T @ np.ones(n)], 1e-15, "gradient")
    single = sp.csr_matrix(DENSE.astype(np.float32))
    assert s2sad.grad(lambda x: np.sum(single @ x))(X.astype(np.float32)).dtype == np.float32


def test_sizes_that_do_not_fit():
    for jit in (False, True):
        with pytest.raises(ValueError, match="dimension mismatch"):
            s2sad.jit(lambda x, a: a @ x)(np.ones(5), MATRIX) if jit else s2sad.vjp(
                lambda x, a: a @ x, np.ones(5), MATRIX
            )


@pytest.mark.parametrize(
    "f",
    [
        lambda x, a: (a * a) @ x,
        lambda x, a: a.sum() * x,
        lambda x, a: a.multiply(x),
        lambda x, a: ARRAY * x,
        lambda x, a: a[0] @ x,
    ],
)
def test_what_else_is_refused(f: Callable[..., Any]):
    with pytest.raises(s2sad.S2sadError, match="sparse"):
        s2sad.vjp(f, X, MATRIX)


@pytest.mark.parametrize("make", [sp.csr_matrix, sp.coo_array, sp.diags, sp.eye])
def test_matrices_made_inside_are_refused_at_the_call(make: Callable[..., Any]):
    def f(x: Any) -> Any:
        return make(x) @ x

    with pytest.raises(s2sad.S2sadError, match=r"return make.*\n.*\n.*np.add.at") as refusal:
        s2sad.vjp(f, X)
    assert f"S201 `scipy.sparse.{make.__name__}`" in str(refusal.value)


def test_what_the_refusal_advises():
    i, j, v = np.array([0, 1, 1]), np.array([2, 0, 2]), np.array([0.5, -2.0, 3.0])

    def f(v: Any, x: Any) -> Any:
        y = np.zeros(2)
        np.add.at(y, i, v * x[j])
        return y

    a, x, y_bar = sp.coo_matrix((v, (i, j)), shape=(2, 3)), np.array([1.0, 2.0, 4.0]), np.array([3.0, -1.0])
    y, pull = s2sad.vjp(f, v, x)
    assert_close([y, *pull(y_bar)], [a @ x, y_bar[i] * x[j], a.T @ y_bar], 1e-15, "product")


def test_a_sparse_matrix_does_not_vary():
    with pytest.raises(s2sad.S2sadError, match=r"S342 argument a .* is a sparse matrix"):
        s2sad.grad(lambda a, x: np.sum(a @ x))(MATRIX, X)


@pytest.mark.parametrize("k", range(len(PLAIN_ONLY)))
def test_what_cannot_be_compiled(k: int):
    f, x, a = PLAIN_ONLY[k]
    with pytest.raises(s2sad.S2sadError, match="S292"):
        s2sad.jit(f)(x, a)


@pytest.mark.parametrize("c", [1.0, -1.0])
def test_matrices_of_other_sizes_meet(c: float):
    def f(x: Any, c: float, a: Any, b: Any) -> Any:
        chosen = a if c > 0.0 else b
        r = chosen @ np.ones(chosen.shape[1])
        return np.sum(np.sin(x) * r * r) * chosen.shape[0]

    small, x = sp.csr_array(np.diag([4.0, 5.0])), 0.7
    r = ARRAY.sum(axis=1) if c > 0.0 else np.array([4.0, 5.0])
    assert_close([s2sad.grad(f)(x, c, ARRAY, small)], [np.cos(x) * np.sum(r * r) * r.size], 1e-11, "gradient")
    with pytest.raises(s2sad.S2sadError, match="S292"):
        s2sad.grad(f, jit=True)(x, c, ARRAY, small)
