"""Sparse Jacobians and Hessians: values, how many products they take, patterns that follow the data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from property.verdicts import lowering_interpreted

import s2sad
from s2sad.analysis.coloring import Pattern, direct, distance_two, star
from s2sad.driver.program import Variant

RNG = np.random.default_rng(5)
U = RNG.normal(size=12)


def stencil(u):
    r = u.copy()
    r[1:-1] = u[2:] - 2.0 * u[1:-1] + u[:-2] + np.exp(u[1:-1])
    return r


def loops(u):
    r = np.zeros(u.shape[0])
    for i in range(u.shape[0]):
        r[i] = 2.0 * u[i] ** 2
        if i > 0:
            r[i] -= u[i - 1] * u[i]
    return r


def branches(u):
    r = np.zeros(u.shape[0])
    for i in range(u.shape[0]):
        r[i] = u[0] * u[i] if u[i] > 0 else u[i] ** 2
    return r


def rearranged(u):
    running = np.cumsum(u)[-3:]
    chosen = np.where(u > 0, u, np.roll(u, 1) ** 2)
    table = np.tril(np.outer(u[:2], u[2:5]))
    parts = (
        np.tanh(u[::2]),
        np.sort(u)[:2],
        running,
        chosen,
        table.ravel(),
        np.pad(u[:2] ** 2, 1),
        np.diag(table),
    )
    return np.concatenate(parts)


def reduced(u):
    m = u.reshape(3, 4)
    return np.concatenate(
        [m.sum(axis=0), np.max(m, axis=1), np.array([u[0] * u[3], np.prod(m[1])]), (m.T @ m)[0]]
    )


def solved(u):
    return np.linalg.solve(np.eye(3) + np.diag(u[:3]), u[3:6])


def product(a, u):
    return (a @ u) ** 2


def chain(u):
    total = 0.0
    for i in range(u.shape[0] - 1):
        total += np.sin(u[i] * u[i + 1])
    return total


def arrow(u):
    return np.sum(u[1:] ** 2 * u[0]) + u[3] * u[7]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count how often derivatives are run."""
    found: list[int] = []
    plain = Variant.run

    def counted(self: Variant, values: Any, seeds: Any = ()) -> Any:
        found.append(1)
        return plain(self, values, seeds)

    monkeypatch.setattr(Variant, "run", counted)
    return found


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("f", [stencil, loops, branches, rearranged, reduced, solved])
def test_jacobians(f, jit: bool):
    with lowering_interpreted():
        made = s2sad.sparse_jacobian(f, jit=jit and f is not solved)
        for u in (U, -U, U[::-1].copy()):
            got = made(u)
            assert isinstance(got, scipy.sparse.csr_matrix) and got.has_canonical_format
            np.testing.assert_allclose(got.toarray(), s2sad.jacfwd(f)(u), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("f", [chain, arrow, lambda u: np.sum((u[1:] - u[:-1] ** 2) ** 2) + u[0] * np.sum(u)])
def test_hessians(f, jit: bool):
    with lowering_interpreted():
        got = s2sad.sparse_hessian(f, jit=jit)(U)
    np.testing.assert_allclose(got.toarray(), s2sad.hessian(f)(U), rtol=1e-12, atol=1e-13)


def test_how_many_products(runs: list[int]):
    s2sad.sparse_jacobian(stencil)(np.linspace(0.0, 1.0, 1000))
    assert len(runs) == 3
    runs.clear()
    s2sad.sparse_hessian(chain)(np.linspace(0.0, 1.0, 100))
    assert len(runs) == 3
    runs.clear()
    s2sad.sparse_hessian(arrow)(np.linspace(0.0, 1.0, 50))
    assert len(runs) == 3  # distance-2 colours would be 50
    runs.clear()
    s2sad.sparse_jacobian(lambda u: np.array([np.sum(u), u[0] ** 2]))(U)
    assert not runs  # by rows: two pullbacks


def test_a_pattern_serves_again_where_no_float_decides():
    made = s2sad.sparse_jacobian(stencil)
    for n in (12, 12, 9):
        np.testing.assert_allclose(made(U[:n]).toarray(), s2sad.jacfwd(stencil)(U[:n]), rtol=1e-13)
    assert len(made.plans) == 2
    made = s2sad.sparse_jacobian(branches)
    made(U)
    assert not made.plans


def test_ints_and_sparse_constants_belong_to_the_pattern():
    def picked(u, index):
        return u[index] ** 2

    made = s2sad.sparse_jacobian(picked)
    for index in (np.array([1, 2, 3]), np.array([4, 4, 0])):
        np.testing.assert_allclose(made(U, index).toarray(), s2sad.jacfwd(picked)(U, index), rtol=1e-13)
    made = s2sad.sparse_jacobian(product, 1)
    for offset in (1, 2):
        a = scipy.sparse.diags_array([np.arange(12.0), np.ones(12 - offset)], offsets=[0, offset]).tocsr()
        a = scipy.sparse.csr_matrix(a)
        np.testing.assert_allclose(made(a, U).toarray(), s2sad.jacfwd(product, 1)(a, U), rtol=1e-13)
    assert sorted(plan.count for plan in made.plans.values()) == [2, 2]


def test_a_given_sparsity_is_checked(runs: list[int]):
    whole = s2sad.sparse_jacobian(stencil)(U)
    runs.clear()
    for given in (whole, whole.toarray() != 0, scipy.sparse.coo_matrix(np.ones((12, 12)))):
        made = s2sad.sparse_jacobian(stencil, sparsity=given)(U)
        np.testing.assert_allclose(made.toarray(), whole.toarray(), rtol=1e-13)
    assert len(runs) == 4 + 4 + 13
    missing = whole.toarray() != 0
    missing[5, 6] = False
    with pytest.raises(s2sad.TypeMismatch, match="row 5"):
        s2sad.sparse_jacobian(stencil, sparsity=missing)(U)


def test_colourings():
    for trial in range(60):
        n = int(RNG.integers(1, 12))
        a = RNG.random((n, n)) < 0.5 * RNG.random()
        a |= a.T | (np.eye(n, dtype=bool) & bool(trial % 3))
        pattern = Pattern.of((n, n), *np.nonzero(a))
        h = np.where(a, RNG.normal(size=(n, n)), 0.0)
        h += h.T
        colors = star(pattern)
        products = h @ np.eye(colors.max() + 1)[colors]
        np.testing.assert_array_equal(products[direct(pattern, colors)], h[pattern.rows, pattern.columns])
        colors = distance_two(pattern)
        for row in a:
            assert len(set(colors[row])) == np.count_nonzero(row)
