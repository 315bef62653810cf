"""Derivatives at kinks and singular points, as the table documents them."""

# ruff: noqa: E501 (tables)
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numeric import Case, cotangents, cotangents_dot, tangent

import s2sad
from s2sad.ir.path import Fancy, Index
from s2sad.ops import OPS

ONE = np.float64(1.0)
INF = np.inf


def gradient(
    name: str, *args: Any, literals: tuple[int, ...] = (), y_bar: Any = None, **params: Any
) -> list[Any]:
    case = Case(OPS[name], args, params, literals=literals)
    y = case.evaluate(*args)
    return cotangents(case, np.ones_like(y)[()] if y_bar is None else y_bar)


POINTS = [
    ("maximum", (np.array([1.0, 2.0]), np.array([1.0, 1.0])), (), ([0.5, 1.0], [0.5, 0.0])),
    ("minimum", (np.array([1.0, 2.0]), np.array([1.0, 1.0])), (), ([0.5, 0.0], [0.5, 1.0])),
    ("maximum", (np.array([0.0, 1.0, -1.0]), 0.0), (1,), ([0.0, 1.0, 0.0],)),
    ("maximum", (0.0, np.array([0.0, 1.0])), (0,), (0.0, [0.0, 1.0])),
    ("minimum", (np.array([0.0, 1.0, -1.0]), 0.0), (1,), ([0.0, 0.0, 1.0],)),
    ("maximum", (np.array([0.0, 1.0]), 0.0), (), ([0.5, 1.0],)),
    ("fmax", (np.array([np.nan, 1.0, 1.0]), np.array([1.0, np.nan, 1.0])), (), ([0.0, 1.0, 0.5], [1.0, 0.0, 0.5])),
    ("fmin", (np.array([np.nan, 1.0, 1.0]), np.array([1.0, np.nan, 1.0])), (), ([0.0, 1.0, 0.5], [1.0, 0.0, 0.5])),
    ("clip", (np.array([-1.0, 0.0, 0.5, 1.0, 2.0]), 0.0, 1.0), (1, 2), ([0.0, 0.0, 1.0, 0.0, 0.0],)),
    ("clip", (np.array([-1.0, 0.0, 0.5, 1.0, 2.0]), np.zeros(5), np.ones(5)), (),
     ([0.0, 0.5, 1.0, 0.5, 0.0], [1.0, 0.5, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.5, 1.0])),
    ("clip", (np.array([2.0, 2.0, -1.0]), np.ones(3), np.zeros(3)), (), ([0.0] * 3, [0.0] * 3, [1.0] * 3)),
    ("absolute", (np.array([0.0, -0.0, -2.0]),), (), ([0.0, 0.0, -1.0],)),
    ("absolute", (np.array([0j, 3 + 4j]),), (), ([0.0, 0.6 - 0.8j],)),
    ("sqrt", (np.array([0.0, 4.0]),), (), ([INF, 0.25],)),
    ("hypot", (np.array([0.0, 3.0]), np.array([0.0, 4.0])), (), ([0.0, 0.6], [0.0, 0.8])),
    ("power", (np.array([0.0, 2.0]), 0), (1,), ([0.0, 0.0],)),
    ("power", (np.array([0.0, 2.0]), 1), (1,), ([1.0, 1.0],)),
    ("power", (np.array([0.0, 2.0]), 2), (1,), ([0.0, 4.0],)),
    ("power", (np.array([0.0, 0.0, 0.0]), np.array([0.0, 1.0, 2.0])), (), ([0.0, 1.0, 0.0], [0.0, 0.0, 0.0])),
    ("power", (0.0, 2.0), (), (0.0, 0.0)),
    ("power", (0.0, 0), (), (0.0,)),
    ("logaddexp", (np.array([-INF, -INF, 1.0]), np.array([-INF, 1.0, -INF])), (), ([0.0, 0.0, 1.0], [0.0, 1.0, 0.0])),
    ("logaddexp", (np.array([1000.0]), np.array([0.0])), (), ([1.0], [0.0])),
    ("copysign", (np.array([0.0, 2.0, -2.0]), -1.0), (), ([0.0, -1.0, 1.0],)),
    ("py_max", (1.0, 1.0), (), (1.0, 0.0)),
    ("py_min", (1.0, 1.0), (), (1.0, 0.0)),
    ("py_max", (0.5, 1.0), (), (0.0, 1.0)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "literals", "expected"), POINTS)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_kink(name: str, args: Any, literals: Any, expected: Any) -> None:
    found = gradient(name, *args, literals=literals)
    for f, e in zip(found, expected, strict=False):
        np.testing.assert_allclose(f, e, atol=0, rtol=1e-15)


@pytest.mark.parametrize("name", ["maximum", "minimum", "fmax", "clip", "py_max"])
def test_a_side_not_chosen_gets_nothing_even_of_inf(name: str) -> None:
    args = (2.0, 1.0, 3.0)[: 3 if name == "clip" else 2]
    for bar in gradient(name, *args, y_bar=INF):
        assert bar in (0.0, INF)


def test_where_masks_infinite_cotangents() -> None:
    c = np.array([True, False])
    _, a, b = gradient("where", c, np.ones(2), np.ones(2), y_bar=np.array([INF, np.nan]))
    np.testing.assert_array_equal(a, [INF, 0.0])
    np.testing.assert_array_equal(b, [0.0, np.nan])


@pytest.mark.parametrize("name", ["max", "min"])
def test_ties_of_extremes_split_evenly(name: str) -> None:
    x = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]]) * (1 if name == "max" else -1)
    (bar,) = gradient(name, x, axis=(1,), keepdims=False)
    np.testing.assert_allclose(bar, [[0, 0.5, 0.5], [1 / 3] * 3])
    (bar,) = gradient(name, x, axis=None, keepdims=False)
    np.testing.assert_allclose(bar, [[0, 0.5, 0.5], [0, 0, 0]])


def products(x: Any) -> Any:
    return np.array([np.prod(np.delete(x, k)) for k in range(x.size)])


@pytest.mark.parametrize("zeros", [(), (1,), (0, 2), (0, 1, 3), (0, 1, 2, 3)])
def test_prod_with_zeros(zeros: tuple[int, ...]) -> None:
    x = np.array([1.5, -2.0, 0.5, 3.0])
    x[list(zeros)] = 0.0
    (bar,) = gradient("prod", x, axis=None, keepdims=False)
    np.testing.assert_allclose(bar, products(x))
    m = np.stack([x, x[::-1], np.ones(4)])
    (bar,) = gradient("prod", m, axis=(1,), keepdims=False)
    np.testing.assert_allclose(bar, [products(r) for r in m])
    (bar,) = gradient("prod", m, axis=None, keepdims=True)
    np.testing.assert_allclose(bar, products(m.ravel()).reshape(m.shape))


@pytest.mark.parametrize("zeros", [(), (1,), (0, 2), (0, 1, 3)])
def test_second_derivative_of_prod_with_zeros(zeros: tuple[int, ...]) -> None:
    x = np.array([1.5, -2.0, 0.5, 3.0])
    x[list(zeros)] = 0.0
    case = Case(OPS["prod"], (x,), {"axis": None, "keepdims": False})
    for k in range(4):
        (row,) = cotangents_dot(case, 1.0, [np.eye(4)[k]])
        expected = [0.0 if j == k else np.prod(np.delete(x, [j, k])) for j in range(4)]
        np.testing.assert_allclose(row, expected)


@pytest.mark.parametrize("zeros", [(), (1,), (0, 2), (0, 1, 3), (3,)])
def test_cumprod_with_zeros(zeros: tuple[int, ...]) -> None:
    x = np.array([1.5, -2.0, 0.5, 3.0])
    x[list(zeros)] = 0.0
    jacobian = np.array(
        [[0.0 if j > i else np.prod(np.delete(x[: i + 1], j)) for j in range(4)] for i in range(4)]
    )
    case = Case(OPS["cumprod"], (x,), {"axis": 0})
    for k in range(4):
        (bar,) = cotangents(case, np.eye(4)[k])
        np.testing.assert_allclose(bar, jacobian[k])
        np.testing.assert_allclose(tangent(case, [np.eye(4)[k]]), jacobian[:, k])


@pytest.mark.parametrize("f", [np.std, np.nanstd])
def test_spread_of_equal_elements_is_flat(f: Any) -> None:
    np.testing.assert_array_equal(s2sad.grad(lambda x: f(x))(np.ones(3)), np.zeros(3))


def test_sort_with_equal_elements_permutes() -> None:
    x = np.array([2.0, 1.0, 2.0, 1.0])
    (bar,) = gradient("sort", x, axis=0, y_bar=np.array([1.0, 2.0, 3.0, 4.0]))
    assert sorted(bar) == [1.0, 2.0, 3.0, 4.0]
    assert sorted(bar[[1, 3]]) == [1.0, 2.0]


def test_only_the_last_of_repeated_writes_counts() -> None:
    i = np.array([2, 0, 2])
    case = Case(OPS["setitem"], (np.zeros(3), np.array([1.0, 2.0, 3.0]), i), {"path": (Index((Fancy(),)),)})
    x_bar, v_bar, _ = cotangents(case, np.array([10.0, 20.0, 30.0]))
    np.testing.assert_array_equal(x_bar, [0.0, 20.0, 0.0])
    np.testing.assert_array_equal(v_bar, [0.0, 10.0, 30.0])


def test_numbers_of_python_raise_as_python_does() -> None:
    with pytest.raises(ZeroDivisionError):
        gradient("math_sqrt", 0.0, y_bar=1.0)


def prefix_products(x):
    return np.sum(np.cumprod(x) * np.array([1.0, -0.5, 2.0, 0.3]))


@pytest.mark.parametrize("zeros", [(), (1,), (0, 2), (0, 1, 3), (0, 1, 2, 3)])
@pytest.mark.parametrize("jit", [False, True])
def test_second_derivative_of_cumprod_with_zeros(zeros: tuple[int, ...], jit: bool) -> None:
    x = np.array([1.5, -2.0, 0.5, 3.0])
    x[list(zeros)] = 0.0
    w = np.array([1.0, -0.5, 2.0, 0.3])

    def entry(i: int, j: int) -> float:
        last = max(i, j)
        return sum(w[k] * np.prod(np.delete(x[: k + 1], [i, j])) for k in range(last, 4)) if i != j else 0.0

    expected = [[entry(i, j) for j in range(4)] for i in range(4)]
    np.testing.assert_allclose(s2sad.hessian(prefix_products, jit=jit)(x), expected, atol=1e-14)


@pytest.mark.parametrize("zeros", [(), (1,), (0, 2), (0, 1, 3)])
def test_third_derivative_of_prod_with_zeros(zeros: tuple[int, ...]) -> None:
    x = np.array([1.5, -2.0, 0.5, 3.0])
    x[list(zeros)] = 0.0
    third = s2sad.jacfwd(s2sad.hessian(np.prod))(x)
    for i, j, k in np.ndindex(4, 4, 4):
        expected = np.prod(np.delete(x, [i, j, k])) if len({i, j, k}) == 3 else 0.0
        np.testing.assert_allclose(third[i, j, k], expected, atol=1e-14)
