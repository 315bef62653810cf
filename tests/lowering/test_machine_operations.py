"""Operations that machine code has of its own: the same numbers as NumPy's, and nothing left to Numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import scipy.linalg
from written import written

import s2sad
from s2sad.driver import native

FLOATS = np.array([-np.inf, -2.5, -1.5, -0.5, -0.0, 0.0, 0.5, 1.5, 2.5, 1e17, np.inf, np.nan])


def by_llvm(f: Callable[..., Any], *args: Any) -> Any:
    """Return what the compiled function returns, compiled without Numba."""
    with patch.object(native, "_by_numba", side_effect=AssertionError("left to Numba")):
        return s2sad.jit(f)(*args)


def same(a: Any, b: Any) -> None:
    """Check values, dtypes and signs of zeros."""
    np.testing.assert_array_equal(a, b)
    assert np.asarray(a).dtype == np.asarray(b).dtype
    np.testing.assert_array_equal(np.signbit(a), np.signbit(b))


@pytest.mark.parametrize("decimals", [0, 1, 3, -1])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_round(decimals: int, dtype: type) -> None:
    x = np.concatenate([FLOATS, np.random.default_rng(0).normal(size=20) * 100]).astype(dtype)

    def f(x):
        return np.round(x, decimals)

    with np.errstate(all="ignore"):
        same(by_llvm(f, x), f(x))


def test_round_of_ints_and_to_ints() -> None:
    def f(x, n):
        return np.round(n), [round(x[k]) for k in range(3)]

    x, n = np.array([2.5, -3.5, 0.49]), np.array([3, -4])
    found = by_llvm(f, x, n)
    same(found[0], np.round(n))
    assert list(found[1]) == [2, -4, 0]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint32", "int64", "uint64"])
def test_shifts(dtype: str) -> None:
    info = np.iinfo(dtype)
    a = np.array([0, 1, 5, info.max, info.min, info.max // 3], dtype)
    by = np.array([0, 1, 7, 31, 63, 64, 100], dtype)

    def f(a, b):
        left, right = np.zeros((6, 7), a.dtype), np.zeros((6, 7), a.dtype)
        for i in range(6):
            for j in range(7):
                left[i, j] = a[i] << b[j]
                right[i, j] = a[i] >> b[j]
        return left, right

    for got, expected in zip(by_llvm(f, a, by), (a[:, None] << by, a[:, None] >> by), strict=True):
        same(got, expected)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "uint8"])
def test_search(side: str, dtype: str) -> None:
    rng = np.random.default_rng(1)
    lines = [np.sort(rng.integers(0, 9, size=n)).astype(dtype) for n in (0, 1, 2, 7, 30)]
    if dtype.startswith("float"):
        lines.append(np.sort(FLOATS).astype(dtype))
    values = np.concatenate([np.arange(-1.0, 10.0), np.arange(0.5, 9.5), FLOATS])
    values = values if dtype.startswith("float") else np.arange(0, 11)

    def f(line, values):
        found = np.zeros(len(values), int)
        for k in range(len(values)):
            found[k] = np.searchsorted(line, values[k], side=side)
        return found

    for line in lines:
        for step in (1, -2):
            wide = np.zeros(2 * len(line), line.dtype)
            wide[::2] = line
            same(by_llvm(f, wide[::2], values[::step]), f(line, values[::step]))


def test_numbers_in_arrays_of_rank_0() -> None:
    def f(x, c):
        s = 0.0
        for k in range(len(x)):
            s += x[k] * c[()] if x[k] > 0.5 else float(c)
        return s

    x, c = np.array([0.2, 0.7, 0.9]), np.array(1.5)
    assert by_llvm(f, x, c) == f(x, c)


def stepped(x, A, B, turned):
    total = 0.0
    for k in range(3):
        M = A * (1.0 + 0.1 * k) + 0.01 * total * np.eye(len(A))
        y = np.linalg.solve(M.T if turned else M, B * x)
        total += np.sum(y * np.cos(B))
    return total


COMPILED = s2sad.value_and_grad(stepped, argnums=(0, 1, 2), jit=True)  # for all sizes
PLAIN = s2sad.value_and_grad(stepped, argnums=(0, 1, 2))


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 31, 32, 33, 40])
@pytest.mark.parametrize("columns", [None, 1, 3])
def test_systems_in_loops(n: int, columns: int | None) -> None:
    rng = np.random.default_rng(n)
    A = rng.normal(size=(n, n)) + np.eye(n)
    B = rng.normal(size=n if columns is None else (n, columns))
    for turned in (False, True):
        for a in (A, np.asfortranarray(A), np.repeat(A, 2, axis=0)[::2]):
            with patch.object(native, "_by_numba", side_effect=AssertionError("left to Numba")):
                value, bars = COMPILED(0.7, a, B, turned)
            expected, others = PLAIN(0.7, a, B, turned)
            assert abs(value - stepped(0.7, A, B, turned)) <= 1e-9 * max(1.0, abs(value))
            assert abs(value - expected) <= 1e-9 * max(1.0, abs(value))
            for got, other in zip(bars, others, strict=True):
                np.testing.assert_allclose(got, other, rtol=1e-7, atol=1e-7 * np.max(np.abs(other)))


def test_pivots_and_what_has_no_solution() -> None:
    def f(A, b):
        x = b
        for _ in range(2):
            x = np.linalg.solve(A, x)
        return x

    swapped = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 2.0], [4.0, 0.0, 0.0]])
    np.testing.assert_allclose(by_llvm(f, swapped, np.arange(3.0)), f(swapped, np.arange(3.0)), rtol=1e-15)
    np.testing.assert_array_equal(by_llvm(f, np.zeros((0, 0)), np.zeros(0)), np.zeros(0))
    for A in (np.zeros((2, 2)), np.ones((3, 3)), np.diag([1.0, 0.0])):
        with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
            by_llvm(f, A, np.ones(len(A)))
    with pytest.raises(np.linalg.LinAlgError):
        by_llvm(f, np.ones((2, 3)), np.ones(2))
    assert np.isnan(by_llvm(f, np.full((2, 2), np.nan), np.ones(2))).all()


def decomposed(A):
    total = 0.0
    for k in range(A.shape[0]):
        matrix = A[k] @ A[k].T + np.eye(A.shape[1])
        sign, size = np.linalg.slogdet(A[k])
        factor = np.linalg.cholesky(matrix)
        solution = np.linalg.solve(factor @ matrix, A[k, :, :2])
        total += np.sum(np.linalg.inv(A[k]) * A[k]) + np.linalg.det(A[k] / 3.0) + sign * size
        total += np.sum(factor**2 * factor.T) + np.sum(solution * factor[:, :2])
    return total


@pytest.mark.usefixtures("without_numba")
@pytest.mark.parametrize("n", [2, 3, 8, 32, 33])
def test_decompositions_in_loops(n: int) -> None:
    rng = np.random.default_rng(n)
    A = rng.normal(size=(3, n, n)) / np.sqrt(n) + 2.0 * np.eye(n)
    A[1, [0, 1]] = A[1, [1, 0]]  # a determinant below zero
    value, bar = s2sad.value_and_grad(decomposed, jit=True)(A)
    expected, other = s2sad.value_and_grad(decomposed)(A)
    assert abs(value - decomposed(A)) <= 1e-11 * abs(value)
    assert abs(value - expected) <= 1e-11 * abs(value)
    np.testing.assert_allclose(bar, other, rtol=1e-8, atol=1e-9 * np.max(np.abs(other)))


def likelihood(A):
    total = 0.0
    for k in range(A.shape[0]):
        factor = np.linalg.cholesky(A[k] @ A[k].T)
        total += np.sum(np.log(np.diag(factor))) + np.linalg.slogdet(A[k])[1]
    return total + np.sum(np.linalg.inv(A[0]))


@pytest.mark.usefixtures("without_numba")
def test_second_order() -> None:
    rng = np.random.default_rng(3)
    A, v = rng.normal(size=(2, 3, 3)) + 2.0 * np.eye(3), rng.normal(size=(2, 3, 3))
    product = s2sad.hvp(likelihood, (A,), (v,), jit=True)
    step = 1e-5
    ahead, back = (s2sad.grad(likelihood)(A + t * v) for t in (step, -step))
    np.testing.assert_allclose(product, (ahead - back) / (2.0 * step), rtol=1e-6, atol=1e-7)


@pytest.mark.usefixtures("without_numba")
@pytest.mark.parametrize(("n", "columns"), [(0, 3), (1, None), (4, None), (4, 3), (33, 3)])
@pytest.mark.parametrize("turn", [np.asfortranarray, lambda a: np.repeat(a, 2, 0)[::2]])
def test_triangular_systems_in_loops(n: int, columns: int | None, turn: Any) -> None:
    def f(A, b):
        total = 0.0
        x = b
        for k in range(2):
            for lower in (False, True):
                for trans in (0, 1):
                    for unit in (False, True):
                        x = scipy.linalg.solve_triangular(A, x, trans, lower, unit)
                        total = 2.0 * total + np.sum(x) + k
        return x, total

    rng = np.random.default_rng(n)
    A, b = turn(rng.normal(size=(n, n)) / 9.0 + np.eye(n)), rng.normal(size=n if columns is None else (n, 3))
    for got, want in zip(s2sad.jit(f)(A, b), f(A, b), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-10)


@pytest.mark.usefixtures("without_numba")
def test_a_triangular_system_without_solution() -> None:
    def f(A, b):
        for _ in range(2):
            b = scipy.linalg.solve_triangular(A, b)
        return b

    for A, b, error in (
        (np.diag([1.0, 0.0]), np.ones(2), np.linalg.LinAlgError),
        (np.eye(3), np.ones(2), ValueError),
        (np.ones((2, 3)), np.ones(2), ValueError),
    ):
        with pytest.raises(error):
            f(A, b)
        with pytest.raises(error):
            s2sad.jit(f)(A, b)


def stacked(A):
    return np.linalg.inv(A), np.linalg.det(A), *np.linalg.slogdet(A), np.linalg.cholesky(A + 9.0 * np.eye(2))


@pytest.mark.usefixtures("without_numba")
def test_stacks_of_matrices() -> None:
    A = np.random.default_rng(1).normal(size=(2, 3, 2, 2)) + np.array([[0.0, 0.2], [0.2, 0.0]])
    A[..., 1, 0] = A[..., 0, 1]
    for got, want in zip(s2sad.jit(stacked)(A), stacked(A), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-13)
    for got, want in zip(s2sad.jit(stacked)(A[:0]), stacked(A[:0]), strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.usefixtures("without_numba")
@pytest.mark.parametrize("A", [np.ones((2, 2)), np.zeros((3, 3)), np.zeros((0, 0)), np.diag([1.0, -1.0])])
@pytest.mark.parametrize(
    "f",
    [
        lambda A: np.linalg.inv(A),
        lambda A: np.linalg.det(A),
        lambda A: np.linalg.slogdet(A)[0],
        lambda A: np.linalg.slogdet(A)[1],
        lambda A: np.linalg.cholesky(A),
    ],
)
def test_matrices_without_decomposition(f: Any, A: Any) -> None:
    def twice(A):
        for _ in range(2):
            found = f(A)
        return found

    try:
        want = f(A)
    except np.linalg.LinAlgError as error:
        with pytest.raises(np.linalg.LinAlgError, match=str(error)):
            s2sad.jit(twice)(A)
    else:
        np.testing.assert_allclose(s2sad.jit(twice)(A), want, atol=1e-15)


@pytest.mark.usefixtures("without_numba")
@pytest.mark.parametrize("step", [1, 2, 3, 7, -1, -2, -3, -7])
def test_steps(step: int) -> None:
    def visited(x, lo, hi, step):
        found = np.zeros(len(x))
        k = 0
        for i in range(lo, hi, step):
            found[k] = i
            k += 1
        return found, k

    x = np.zeros(9)
    for lo, hi in ((0, 6), (6, 0), (5, -1), (0, 0), (-3, 4)):
        got, want = s2sad.jit(visited)(x, lo, hi, step), visited(x, lo, hi, step)
        np.testing.assert_array_equal(got[0], want[0])
        assert got[1] == want[1]


PARTS = [slice(*p) for p in (
    (None, None, 2), (1, None, 3), (None, -1, 2), (None, None, -1), (-2, None, -2), (None, 3, -3), (9, 1, -2),
    (4, 1, 2), (1, 4, -1), (-20, 20, 4), (20, -20, -4), (7, None, 2),
)]  # fmt: skip
STEPPED = """def f(x, a):
    def scaled(part, a):
        for k in range(2):
            part[...] = a * part + k

    y = x * 1.0
    scaled(y[{0}:{1}:{2}], a)
    part = x[{0}:{1}:{2}]
    return np.concatenate((y, part @ part * np.sort(part)))
"""


@pytest.mark.usefixtures("without_numba")
@pytest.mark.parametrize("part", PARTS, ids=str)
@pytest.mark.parametrize("n", [0, 1, 6, 7])
def test_slices_with_steps(part: slice, n: int) -> None:
    lo, hi = ("" if bound is None else bound for bound in (part.start, part.stop))
    f = written(STEPPED.format(lo, hi, part.step), f"<{part} of {n}>", {"np": np})["f"]
    x = np.random.default_rng(0).normal(size=n)
    np.testing.assert_allclose(s2sad.jit(f)(x, 0.3), f(x, 0.3), rtol=1e-15)


def bend(v, p):
    r = np.zeros_like(v)
    s = p
    for j in range(v.shape[0]):
        s = np.tanh(s * v[j] - 0.3)
        r[j] = s * v[j]
    return r


@pytest.mark.parametrize("part", ["::2", "::-1", "1::3", ":-1:2", "1:", "::k"])
@pytest.mark.parametrize("other", ["w", "w[::2]", "w[:3]"])
def test_functions_that_are_called_with_views(part: str, other: str) -> None:
    results = f"bend({other}, 0.5), bend(v, 0.7), bend(w, 0.2) @ bend(w, k)"
    text = f"def f(w, k):\n    v = w[{part}]\n    return {results}"
    f = written(text, f"<bend {part} {other}>", {"bend": bend})["f"]
    w = np.random.default_rng(0).normal(size=7)
    for k in (1, 2, -1):
        for got, want in zip(s2sad.jit(f)(w, k), f(w, k), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-14)
