"""Implicit differentiation: roots, fixed points and linear systems, in both modes and to second order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from corpus import seeds_cases
from oracle import assert_close, assert_same

import s2sad
from s2sad import solvers

METHODS = ["dense", "cg", "bicgstab", "gmres"]
CASES = seeds_cases.IMPLICIT
NONSYMMETRIC = "i_newton_system"


def root_of(case: dict[str, Any], solve: str) -> Any:
    return s2sad.custom_root(case["F"], solve=solve)(case["solver"])


@pytest.mark.parametrize("solve", METHODS)
@pytest.mark.parametrize("case", CASES, ids=[c["id"] for c in CASES])
def test_reference_root(case: dict[str, Any], solve: str) -> None:
    root, k = root_of(case, solve), case["argnum"]
    assert_close(root(*case["args"]), case["solver"](*case["args"]), 1e-15, "value")
    if solve == "cg" and case["id"] == NONSYMMETRIC:
        assert np.all(np.isnan(s2sad.jacrev(root, argnums=k)(*case["args"])))
        return
    for jacobian in (s2sad.jacrev, s2sad.jacfwd):
        assert_close(jacobian(root, argnums=k)(*case["args"]), case["expected"], 1e-10, jacobian.__name__)


@pytest.mark.parametrize("case", CASES, ids=[c["id"] for c in CASES])
def test_reference_root_compiled(case: dict[str, Any]) -> None:
    found = s2sad.jacrev(root_of(case, "dense"), argnums=case["argnum"], jit=True)(*case["args"])
    assert_close(found, case["expected"], 1e-10, case["id"])


def test_the_condition_may_be_a_gradient() -> None:
    (case,) = (c for c in CASES if c["id"] == "i_ridge_custom_root")
    F = s2sad.grad(seeds_cases.k_ridge_objective)
    root = s2sad.custom_root(F)(case["solver"])
    assert_close(s2sad.jacrev(root, argnums=1)(*case["args"]), case["expected"], 1e-10, "jacrev")


# --- a nonlinear system with two parameters, against Newton's method unrolled ---------------------------


def residual(x, a, w):
    return np.array([x[0] ** 2 + x[1] ** 2 - a, x[0] * x[1] - w[0] + 0.1 * np.sin(w[1] * x[0])])


def newton(x0, a, w):
    x = x0 + 0.0
    for _ in range(12):
        J = np.array([[2.0 * x[0], 2.0 * x[1]], [x[1] + 0.1 * w[1] * np.cos(w[1] * x[0]), x[0]]])
        x = x - np.linalg.solve(J, residual(x, a, w))
    return x


A, W, START = 3.0, np.array([1.2, 0.7]), np.array([1.5, 0.6])


def objective(solver: Callable[..., Any]) -> Callable[..., Any]:
    def loss(a, w):
        x = solver(START, a * w[0], w)
        return np.sum(x**3) * np.sum(w)

    return loss


@pytest.mark.parametrize("solve", ["dense", "bicgstab", "gmres"])
def test_first_and_second_order(solve: str) -> None:
    implicit, unrolled = objective(s2sad.custom_root(residual, solve)(newton)), objective(newton)
    each, direction = (0, 1), (1.0, np.array([0.5, -2.0]))
    found = s2sad.value_and_grad(implicit, argnums=each)(A, W)
    assert_close(found, s2sad.value_and_grad(unrolled, argnums=each)(A, W), 1e-9, "gradient")
    found = s2sad.jvp(implicit, (A, W), direction)
    assert_close(found, s2sad.jvp(unrolled, (A, W), direction), 1e-9, "jvp")
    found = s2sad.hvp(implicit, (A, W), direction)
    assert_close(found, s2sad.hvp(unrolled, (A, W), direction), 1e-7, "hvp")


def test_one_system_in_the_reverse_sweep_and_no_iteration() -> None:
    text = s2sad.grad(objective(s2sad.custom_root(residual)(newton)), argnums=(0, 1)).source_for(A, W)
    forward, reverse = text.split("# reverse sweep")
    assert forward.count("np.linalg.solve(") == 1  # Newton's
    assert reverse.count("np.linalg.solve(") == 1
    assert "range(12)" not in reverse
    assert "_tape" not in text


def bisect(x, a):
    low, high = 0.0, 10.0
    for _ in range(60):
        x = 0.5 * (low + high)
        low, high = (low, x) if x * x > a else (x, high)
    return x


def test_derivatives_of_any_order_are_not_those_of_the_iterations() -> None:
    root = s2sad.custom_root(lambda x, a: x**2 - a)(bisect)

    def f(a):
        return root(1.0, a)

    slope = s2sad.grad(f)
    curvature = s2sad.grad(slope)
    assert_close(slope(4.0), 0.25, 1e-12, "first")
    assert_close(curvature(4.0), -(4.0**-1.5) / 4.0, 1e-12, "second")
    assert_close(s2sad.grad(f, jit=True)(4.0), 0.25, 1e-12, "first, compiled")
    assert_close(s2sad.grad(slope, jit=True)(4.0), -(4.0**-1.5) / 4.0, 1e-12, "second, compiled")
    assert_close(s2sad.hvp(f, (4.0,), (1.0,)), -(4.0**-1.5) / 4.0, 1e-12, "second, forward over reverse")
    assert_close(s2sad.jacfwd(s2sad.jacfwd(f))(4.0), -(4.0**-1.5) / 4.0, 1e-12, "second, forward twice")
    assert_close(s2sad.grad(curvature)(4.0), 0.375 * 4.0**-2.5, 1e-12, "third")


def test_a_guess_made_of_the_parameters_has_no_derivative() -> None:
    root = s2sad.custom_root(lambda x, a: x**2 - a)(lambda x, a: np.sqrt(a))
    for guess in (np.zeros_like, np.ceil, lambda a: 0.5 * a):
        gradient = s2sad.grad(lambda a, guess=guess: np.sum(root(guess(a), a)))
        assert_close(gradient(np.array([1.0, 4.0])), np.array([0.5, 0.25]), 1e-12, "gradient")
    assert_same(s2sad.grad(root)(3.0, 4.0), 0.0, "guess")


def test_what_the_condition_does_not_read_gets_no_zeros() -> None:
    root = s2sad.custom_root(lambda x, p: x**2 - p["a"])(lambda x, p: np.sqrt(p["a"]))
    gradient = s2sad.grad(lambda p: np.sum(root(1.0, p) * p["w"]))
    found = gradient({"a": np.array([1.0, 4.0]), "w": np.array([2.0, 3.0])})
    assert_close(found, {"a": np.array([1.0, 0.75]), "w": np.array([1.0, 2.0])}, 1e-12, "gradient")
    assert "zeros_like" not in gradient.source


def test_a_fixed_point() -> None:
    def T(z, w, x):
        return np.tanh(w @ z + x)

    def iterate(z, w, x):
        for _ in range(200):
            z = T(z, w, x)
        return z

    w, x = 0.3 * np.array([[0.5, -1.0], [1.0, 0.2]]), np.array([0.1, -0.4])
    implicit = s2sad.custom_fixed_point(T)(iterate)
    for k in (1, 2):
        expected = s2sad.jacrev(iterate, argnums=k)(np.zeros(2), w, x)
        assert_close(s2sad.jacrev(implicit, argnums=k)(np.zeros(2), w, x), expected, 1e-12, f"argument {k}")
        assert_close(s2sad.jacfwd(implicit, argnums=k)(np.zeros(2), w, x), expected, 1e-12, f"argument {k}")


# --- linear systems ---------------------------------------------------------------------------------------


def conduct(v, k):
    """A nonsymmetric tridiagonal operator whose coefficients are data."""
    padded = np.zeros(v.shape[0] + 2)
    padded[1:-1] = v
    return (1.0 + k[1:] + k[:-1]) * v - k[1:] * padded[2:] - 0.5 * k[:-1] * padded[:-2]


def with_matrix(k, b):
    n = b.shape[0]
    M = np.zeros((n, n))
    for j in range(n):
        unit = np.zeros(n)
        unit[j] = 1.0
        M[:, j] = conduct(unit, k)
    return np.sum(np.linalg.solve(M, b) ** 3)


@pytest.mark.parametrize("solve", ["bicgstab", "gmres", "dense"])
def test_a_system_whose_operator_reads_variables(solve: str) -> None:
    chosen = getattr(solvers, solve)

    def loss(k, b):
        return np.sum(s2sad.custom_linear_solve(lambda v: conduct(v, k), b, chosen) ** 3)

    k, b = np.array([0.3, 0.9, 0.5, 1.4, 0.2]), np.array([1.0, -2.0, 0.5, 3.0])
    each, direction = (0, 1), (np.linspace(1.0, -1.0, 5), np.array([0.5, 1.0, -1.0, 2.0]))
    assert_close(loss(k, b), with_matrix(k, b), 1e-10, "value")
    found = s2sad.grad(loss, argnums=each)(k, b)
    assert_close(found, s2sad.grad(with_matrix, argnums=each)(k, b), 1e-9, "gradient")
    found = s2sad.jvp(loss, (k, b), direction)
    assert_close(found, s2sad.jvp(with_matrix, (k, b), direction), 1e-9, "jvp")
    found = s2sad.hvp(loss, (k, b), direction)
    assert_close(found, s2sad.hvp(with_matrix, (k, b), direction), 1e-8, "hvp")


def test_a_compiled_system() -> None:
    def loss(k, b):
        return np.sum(s2sad.custom_linear_solve(lambda v: conduct(v, k), b, solvers.bicgstab) ** 3)

    k, b = np.array([0.3, 0.9, 0.5, 1.4, 0.2]), np.array([1.0, -2.0, 0.5, 3.0])
    found = s2sad.grad(loss, argnums=(0, 1), jit=True)(k, b)
    assert_close(found, s2sad.grad(with_matrix, argnums=(0, 1))(k, b), 1e-9, "gradient")


def test_derivatives_of_any_order_are_not_those_of_the_linear_solver() -> None:
    A, b = np.array([[3.0, 1.0], [0.5, 2.0]]), np.array([1.0, 2.0])

    def solve(matvec, b):
        M = np.array([matvec(np.array([1.0, 0.0])), matvec(np.array([0.0, 1.0]))]).T
        return s2sad.stop_gradient(np.linalg.solve(M, b))

    def f(s):
        return np.sum(s2sad.custom_linear_solve(lambda v: s * (A @ v), b, solve) ** 2)

    expected = 6.0 * np.sum(np.linalg.solve(A, b) ** 2) / 2.0**4
    assert_close(s2sad.grad(s2sad.grad(f))(2.0), expected, 1e-12, "reverse over reverse")
    assert_close(s2sad.grad(s2sad.grad(f), jit=True)(2.0), expected, 1e-12, "compiled")
    assert_close(s2sad.hvp(f, (2.0,), (1.0,)), expected, 1e-12, "forward over reverse")
    assert_close(s2sad.jacfwd(s2sad.jacfwd(f))(2.0), expected, 1e-12, "forward over forward")


@pytest.mark.parametrize("solve", METHODS)
@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 4)], ids=str)
def test_linear_solvers(solve: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    n = int(np.prod(shape))
    M = rng.standard_normal((n, n))
    M = M @ M.T + n * np.eye(n) if solve == "cg" else M + 4.0 * np.sqrt(n) * np.eye(n)
    b = rng.standard_normal(shape) if shape else 1.7

    def matvec(v):
        return np.reshape(M @ np.reshape(v, n), shape)[()]

    found = getattr(solvers, solve)(matvec, b)
    assert_close(found, np.reshape(np.linalg.solve(M, np.reshape(b, n)), shape)[()], 1e-9, solve)
    assert_same(getattr(solvers, solve)(matvec, 0.0 * b), 0.0 * found, "zero")


@pytest.mark.parametrize("solve", ["cg", "bicgstab", "gmres"])
def test_what_does_not_converge_is_nan(solve: str) -> None:
    M = np.array([[1.0, 2.0], [2.0, 4.0]])  # singular
    with np.errstate(all="ignore"):
        found = getattr(solvers, solve)(lambda v: M @ v, np.array([1.0, 1.0]))
    assert np.all(np.isnan(found))


def test_a_solver_of_another_shape_is_refused() -> None:
    def loss(b):
        return np.sum(s2sad.custom_linear_solve(lambda v: v, b, lambda m, b: b[:, None]))

    with pytest.raises(s2sad.TypeMismatch, match="S354"):
        s2sad.grad(loss)(np.ones(3))
    with pytest.raises(s2sad.TypeMismatch, match="S354"):
        s2sad.grad(lambda b: s2sad.custom_linear_solve(lambda v: v, b, lambda m, b: np.sum(b)))(np.ones(3))


def test_a_solver_is_a_function_or_a_name_that_is_known() -> None:
    with pytest.raises(ValueError, match="'gmress': dense, cg, bicgstab, gmres, or a function"):
        s2sad.custom_root(lambda x, a: x - a, "gmress")
    with pytest.raises(s2sad.TypeMismatch, match=r"solves with a function, not with 'cg'"):
        s2sad.grad(lambda b: np.sum(s2sad.custom_linear_solve(lambda v: v, b, "cg")))(np.ones(3))


def test_the_default_solver_of_a_system() -> None:
    b = np.array([1.0, 2.0])
    gradient = s2sad.grad(lambda b: np.sum(s2sad.custom_linear_solve(lambda v: 2.0 * v, b) ** 2))
    assert_close(gradient(b), 0.5 * b, 1e-14, "gradient")


def whole(A, b):
    return np.sum(s2sad.custom_linear_solve(lambda v: A @ v, b) ** 2)


def whole_solved(A, b):
    return np.sum(np.linalg.solve(A, b) ** 2)


def blocks(A, b):
    return sum([whole(A[i : i + 2, i : i + 2], b[i : i + 2]) for i in range(2 + int(b[0] > 5.0))])


def blocks_solved(A, b):
    return sum([whole_solved(A[i : i + 2, i : i + 2], b[i : i + 2]) for i in range(2)])


@pytest.mark.parametrize("pair", [(whole, whole_solved), (blocks, blocks_solved)], ids=["whole", "blocks"])
def test_forward_mode_where_sizes_are_not_known_to_fit(pair: Any) -> None:
    """The sizes of operator and right side first met in the rule: S129, at the first call only."""
    f, expected = pair
    A, b = np.array([[3.0, 1, 0.1], [0.5, 2, 0.2], [0.3, 0.4, 5]]), np.array([1.0, -2, 3])
    tangents = (np.cos(A), None)
    for _ in range(2):
        assert_close(s2sad.jvp(f, (A, b), tangents), s2sad.jvp(expected, (A, b), tangents), 1e-12, "jvp")
    assert_close(s2sad.hessian(f)(A, b), s2sad.hessian(expected)(A, b), 1e-11, "hessian")


def test_an_operator_of_another_shape_raises_when_it_runs() -> None:
    for derivative in (s2sad.grad(whole), s2sad.jacfwd(whole)):
        for _ in range(2):
            with pytest.raises(ValueError, match="cannot reshape array of size 3"):
                derivative(np.ones((3, 2)), np.ones(2))
        assert derivative(np.eye(2), np.ones(2)).shape == (2, 2)
