"""Jacobians of complex results are complex, or refused; so are those by complex arguments."""

from __future__ import annotations

import numpy as np
import pytest

import s2sad

X = np.array([0.5, -1.25, 2.0])
D = np.eye(3)


def waves(x):
    return np.exp(1j * x) * x[0]


def total(x):
    return np.sum(np.exp(1j * x) * x[0])


def expected(f, x):
    h = 1e-5
    return np.stack([(f(x + h * d) - f(x - h * d)) / (2 * h) for d in D], -1)


@pytest.mark.parametrize("chunk_size", [None, 1, 2])
@pytest.mark.parametrize("f", [waves, total])
@pytest.mark.parametrize("transform", [s2sad.jacfwd, s2sad.jacobian])
def test_real_arguments(transform, f, chunk_size):
    found = transform(f, chunk_size=chunk_size)(X)
    assert found.dtype == np.complex128
    np.testing.assert_allclose(found, expected(f, X), rtol=1e-9, atol=1e-9)


def test_inside_a_program():
    def f(x):
        return s2sad.jacobian(waves)(x) * x

    for found in (f(X), s2sad.jit(f)(X), s2sad.jvp(f, (X,), (X,))[0]):
        np.testing.assert_allclose(found, expected(waves, X) * X, rtol=1e-9, atol=1e-9)


def test_sparse_ones_by_columns():
    def arrow(x):  # one full row: by rows it takes two products, by columns three
        y = 1j * x * x
        y[0] = np.sum(np.exp(1j * x))
        return y

    np.testing.assert_allclose(
        s2sad.sparse_jacobian(arrow)(X).toarray(), expected(arrow, X), rtol=1e-9, atol=1e-9
    )


def test_refusals():
    def f(x):
        return s2sad.jacrev(waves)(x)

    for call in (f, s2sad.jit(f), s2sad.jacfwd(f)):
        with pytest.raises(s2sad.S2sadError, match=r"py:\d+:\d+: S352 jacrev needs real results"):
            call(X)
    for transform in (s2sad.jacfwd, s2sad.jacrev, s2sad.jacobian, s2sad.sparse_jacobian):
        with pytest.raises(s2sad.S2sadError, match=r"py:\d+:\d+: S343 argument z of \w+ is complex"):
            transform(lambda z: z * np.conj(z))(X + 1j)
