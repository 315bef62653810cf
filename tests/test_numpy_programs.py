"""NumPy functions that s2sad reads as programs: loops, functions of functions, writes in place."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
import pytest
from property.verdicts import lowering_interpreted
from test_numpy_recipes import assert_same, check, inputs_of

import s2sad

PLACES = np.array([2, 0, 1])


def poly(V: Any) -> Any:
    return np.poly(V)


def roots(W: Any) -> Any:
    r = np.roots(W)
    return np.real(r) + np.abs(r)


COEFFICIENTS = [1.0, -3.0, 2.0, 0.5]


def of_lists(X: Any) -> Any:
    made = np.poly([X, X * X]) * np.polydiv(COEFFICIENTS, [X, 1.0])[0]
    return (
        made * np.real(np.roots(COEFFICIENTS)) * np.piecewise([X, 2.0, 1.0], [[True, False, True]], [np.sin])
    )


def polydiv(V: Any, W: Any) -> Any:
    q, r = np.polydiv(V, W)
    return np.sum(q) * r


def power(A: Any) -> Any:
    total = A[:, :3] * 0.0
    for n in range(4):
        total = total + np.linalg.matrix_power(A[:, :3], n)
    return total


def vander(V: Any) -> Any:
    return np.vander(V) + np.vander(V, increasing=True)


def piecewise(V: Any) -> Any:
    return np.piecewise(V, [V < 0, V > 1], [lambda t: t**2, lambda t: np.sin(t), 3.0]) * V


def piecewise_with_arguments(V: Any, X: Any) -> Any:
    return np.piecewise(V, V > 0, [lambda t, a: a * t, lambda t, a: t / a], X)


def piecewise_of_a_number(X: Any) -> Any:
    return np.piecewise(X, [X < 0, X > 1], [0.0, lambda t: t * t])


def along_rows(A: Any) -> Any:
    return np.apply_along_axis(lambda row: row / np.sum(row * row), 1, A)


def along_columns(A: Any) -> Any:
    return np.apply_along_axis(np.sum, 0, A * A)


def along_a_middle_axis(T: Any) -> Any:
    return np.apply_along_axis(lambda r: np.array([np.sum(r), np.prod(r)]), 1, T)


def along_the_first_axis(A: Any) -> Any:
    return np.apply_along_axis(lambda r: np.outer(r, r), 0, A)


def along_one_axis(V: Any) -> Any:
    return np.apply_along_axis(lambda r, a: a * np.cumsum(r) ** 2, 0, V, 2.0)


def over_axes(T: Any) -> Any:
    return np.apply_over_axes(np.sum, T * T, [0, -1]) + np.apply_over_axes(np.cumsum, T, 1)


def places_without_nans(G: Any) -> Any:
    return G[np.nanargmax(G[:, 2:], axis=0)[1]][2:] * G.ravel()[np.nanargmin(G)] + np.nanargmax(G)


def places_of_parts(T: Any) -> Any:
    square = T[0] @ T[1].T
    upper, lower = square[np.triu_indices_from(square)], square[np.tril_indices_from(square, -1)]
    return upper * np.sum(lower) + np.sum(square[np.diag_indices_from(square)])


def delete_slices(A: Any) -> Any:
    return np.delete(A, slice(1, 3), axis=1) * np.sum(np.delete(A, slice(None, None, 2)))


def insert_several_at_one_place(A: Any, V: Any) -> Any:
    return np.insert(A, [1], A[:, :2] ** 2, axis=1) * np.sum(np.insert(V, [2], V) * V[0])


def from_function(X: Any) -> Any:
    return np.fromfunction(lambda i, j: X * i + j * X**2, (3, 2))


def place(V: Any, W: Any) -> Any:
    x = V * 2
    np.place(x, x > 0, W[:2])
    return x * x


def put(V: Any, W: Any) -> Any:
    x = V * 2
    np.put(x, [0, -1, 2], W)
    x.put(6, W[0] ** 2, mode="wrap")
    return x * x


def put_into_a_matrix(A: Any, W: Any) -> Any:
    x = A * 2
    np.put(x, [0, -1, 5], W)
    np.put(x, [3, 7, 100], W[:2], mode="clip")
    return x * x


def put_along_axis(A: Any, W: Any) -> Any:
    x = A * 2
    np.put_along_axis(x, PLACES[:, None], W[:, None], axis=1)
    np.put_along_axis(x, PLACES[:2] + 3, 1.5, axis=None)
    return x * x


def putmask(V: Any, W: Any) -> Any:
    x = V * 2
    np.putmask(x, V > 0, W)
    return x * x


def fromiter(V: Any, X: Any) -> Any:
    scaled = np.fromiter((v * k for k, v in enumerate(V)), float)
    return np.fromiter([X, X * X, 2.0], dtype=float, count=2) * np.sum(scaled) * int("1f", 16) * int("-2")


def partition_in_place(V: Any) -> Any:
    x = V * 2
    x.partition(2)
    return x * x


def fill_diagonal(A: Any, X: Any) -> Any:
    x, y = A * 2.0, np.zeros((3, 3, 3)) + A[0, 0]
    np.fill_diagonal(x, X)
    np.fill_diagonal(y, A[0, 1:])
    return x * np.sum(y)


def accumulate(A: Any) -> Any:
    return np.logaddexp.accumulate(A, axis=1) * np.subtract.accumulate(A)


def reduceat(A: Any, V: Any) -> Any:
    return np.add.reduceat(V, [0, 2, 1]) * np.maximum.reduceat(A, [0, 2, 0], axis=1)[1]


def reduce(A: Any) -> Any:
    return np.logaddexp.reduce(A) * np.hypot.reduce(A, axis=0)


def at_places(V: Any, A: Any, W: Any) -> Any:
    x, y = V * 2.0, A * 1.0
    np.multiply.at(x, [0, 2, 0], W)
    np.maximum.at(x, PLACES, 0.7)
    np.hypot.at(y, [1, 1], A[0])
    return np.sum(x * x) * y


def outer(V: Any, W: Any) -> Any:
    return np.hypot.outer(V, W) * np.logaddexp.outer(W, V).T


def equivalent(V: Any, W: Any) -> Any:
    a, b, c = np.array_equiv(V, W), np.array_equiv(V, V * 1.0), np.array_equiv(V, np.stack((V, V)))
    return V * (1.0 if a else 2.0) * (3.0 if b else 4.0) * (5.0 if c else 6.0)


def parts_of_numbers(X: Any) -> Any:
    m, n = math.frexp(X * 5.0)
    fraction, whole = math.modf(X * 3.0)
    close = math.nextafter(X, 10.0) * X
    return np.array([m * n, fraction * whole, math.ldexp(X * X, 3), close + math.ulp(X)])


def next_numbers(V: Any) -> Any:
    return np.nextafter(V, 0.0) * V + np.spacing(V) + np.gcd(PLACES, 4)[0] * V + np.lcm(PLACES, 4)[0]


FUNCTIONS = [lambda t: t * t, np.exp]


def piecewise_by_a_list_of_functions(V: Any) -> Any:
    return np.piecewise(V, np.stack((V < 0, V >= 0)), FUNCTIONS)


def choose_by_a_method(V: Any) -> Any:
    return PLACES.choose((V[:3], V[1:4] ** 2, 2.0)) * V[PLACES.argpartition(1)[1]]


PROGRAMS = [f for f in list(globals().values()) if inspect.isfunction(f) and f.__module__ == __name__]


@pytest.mark.parametrize("jit", [False, True], ids=["emitted", "lowered"])
@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_value_modes_and_second_order(f: Any, jit: bool):
    with lowering_interpreted():
        check(f, jit)


def test_the_place_of_an_error_is_the_call():
    def f(K: Any) -> Any:
        return np.poly(K + 1j)

    with pytest.raises(s2sad.S2sadError, match=r"test_numpy_programs\.py.*S202"):
        s2sad.jit(f)(np.array([1, 2]))


def leading_zero(V: Any) -> Any:
    return np.roots(np.concatenate((np.zeros(1), V)))


def out_of_reach(V: Any) -> Any:
    x = V * 1.0
    np.put(x, [7], 1.0)
    return x


def from_zero(V: Any) -> Any:
    return np.geomspace(V[0] - V[0], 1.0, 3)


def of_unequal_lengths(V: Any) -> Any:
    return sum(a * b for a, b in zip([V[0], V[1]], [1.0, 2.0, 3.0], strict=True))


@pytest.mark.parametrize("f", [leading_zero, out_of_reach, from_zero, of_unequal_lengths])
def test_what_is_not_supported_raises(f: Any):
    with pytest.raises(ValueError, match=r"zero|bounds|argument"):
        s2sad.vjp(f, *inputs_of(f))


REFUSED = [
    lambda A: np.poly(A),
    lambda A: np.roots(A),
    lambda V: np.piecewise(V, [V < 0], [1.0, 2.0, 3.0]),
    lambda V: np.multiply.at(V * 1.0, (PLACES,), 2.0),
    lambda A: np.hypot.reduce(A, keepdims=True),
    lambda A: np.divmod.accumulate(A),
]


@pytest.mark.parametrize("f", REFUSED)
def test_refusals_are_placed_at_the_call(f: Any):
    with pytest.raises(s2sad.S2sadError, match=r"test_numpy_programs\.py.*S118"):
        s2sad.jit(f)(*inputs_of(f))


def test_ints_stay_ints():
    def f(K: Any, n: Any) -> Any:
        return np.linalg.matrix_power(np.stack((K, K)).T[:2], n), np.subtract.accumulate(K), np.vander(K)

    K = np.array([2, 0, 1])
    assert_same(s2sad.jit(f)(K, 3), f(K, 3))


def test_the_text_of_eigenvalues_can_be_differentiated(tmp_path: Any):
    def f(W: Any) -> Any:
        return np.sum(np.abs(np.roots(W)))

    W, dot = np.array([0.5, 1.5, -0.8]), np.array([0.3, 0.2, -0.4])
    gradient = s2sad.grad(f)
    expected = gradient(W)
    path = tmp_path / "written.py"
    path.write_text(gradient.source)
    names: dict[str, Any] = {}
    exec(compile(path.read_text(), str(path), "exec"), names)
    value, slope = s2sad.jvp(names["f_grad"], (W,), (dot,))
    np.testing.assert_allclose(value, expected, rtol=1e-14)
    np.testing.assert_allclose(slope, s2sad.hvp(f, (W,), (dot,)), rtol=1e-12)


def stored_list(x, y, z):
    y[0, :2] = [x, 1j]


def stored_rows(x, y, z):
    y[:] = [[x, 1j], [1.0, 2.0]]


def stored_by_place(x, y, z):
    np.place(y, y < 1, [1j, x])


def stored_by_putmask(x, y, z):
    np.putmask(y, y < 1, 1j)


def stored_by_put(x, y, z):
    np.put(y, [0], 1j)


def stored_diagonal(x, y, z):
    np.fill_diagonal(y, [1j, x])


def stored_as_numpy_has_them(x, y, z):
    y[0] = [z[0], x]
    np.put(y, [2, 3], z)


STORES = [f for name, f in list(globals().items()) if name.startswith("stored_")]


@pytest.mark.parametrize("store", STORES, ids=lambda f: f.__name__)
@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
def test_complex_numbers_stored_in_real_arrays(store: Any) -> None:
    """Python's raise; of NumPy's the real part is taken, with a warning."""

    def f(x):
        y, z = np.zeros((2, 2)), np.array([2.0 + 1j, 3.0 - 1j])
        store(x, y, z)
        return np.sum(y**2)

    if store is stored_as_numpy_has_them:
        assert s2sad.value_and_grad(f)(0.5) == (f(0.5), 1.0)
        return
    with pytest.raises(TypeError, match="not 'complex'"):
        f(0.5)
    with pytest.raises(TypeError, match="must be real number, not complex"):
        s2sad.grad(f)(0.5)
