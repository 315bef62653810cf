"""Solvers and minimisers of SciPy inside programs: values as SciPy's, derivatives of what they solve."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle import assert_close, differences, inner
from scipy.optimize import fsolve, least_squares, minimize, minimize_scalar, root
from test_golden import body, emitted, last_function
from written import written

import s2sad

TIGHT = 1e-13
A = np.array([0.5, 2.0])
DOT = np.array([0.3, -0.7])
TOLERANCE = 1e-12


def cubic(x, a):
    return x**3 + x - a


def objective(x, a):
    return np.sum((x - a) ** 2) + a[0] * np.sum(x**4)


# --- programs -----------------------------------------------------------------------------------------------


def by_args(a):
    return np.sum(root(cubic, np.ones(2), args=(a,), method="hybr", tol=TIGHT).x ** 2)


def by_one_value(a):
    return np.sum(root(cubic, np.ones(2), args=a, tol=TIGHT).x * a)


def by_closure(a):
    w = a * a
    return np.sum(root(lambda x: x**3 + x - w, [1, 1], tol=TOLERANCE)["x"])


def by_list(a):
    pair = lambda x: [x[0] ** 3 + x[1] - a[0], x[1] + np.sin(x[0]) - a[1]]  # noqa: E731
    return root(pair, [-1.0, 1.0], tol=TIGHT).x[0]


def by_fsolve(a):
    return np.sum(fsolve(cubic, [1.0, 1.0], args=(a * a,), xtol=TOLERANCE))


def by_number(a):
    return root(lambda x, c: x**3 + x - c, 1.0, args=a[1], tol=TIGHT).x[0] * a[0]


def by_gradient(a):
    return np.sum(root(s2sad.grad(objective), np.zeros(2), args=(a,), tol=TIGHT).x)


def with_slope(a):
    slope = lambda x, a: np.diag(3.0 * x**2 + 1.0)  # noqa: E731
    return np.sum(root(cubic, np.ones(2), args=(a,), jac=slope, method="lm", tol=TIGHT).x ** 2)


def with_pair(a):
    pair = lambda x: (cubic(x, a), np.diag(3.0 * x**2 + 1.0))  # noqa: E731
    return np.sum(root(pair, np.ones(2), jac=True, tol=TIGHT).x ** 2)


def in_a_matrix(a):
    m = np.outer(a, a)
    return np.sum(root(lambda x: cubic(x.reshape(2, 2), m).ravel(), m, tol=TIGHT).x ** 2)


def in_a_structure(a):
    p = {"k": a[0], "c": a + 1.0}
    return np.sum(root(lambda x, q: q["k"] * x**3 + x - q["c"], np.ones(2), args=(p,), tol=TIGHT).x)


def with_loops(a):
    def residual(x):
        r = np.zeros(2)
        for i in range(2):
            r[i] = x[i] ** 2 + x[i] - a[i] if x[i] > 0.0 else x[i] - a[i]
        return r

    return np.sum(root(residual, np.ones(2), tol=TIGHT).x)


def in_a_loop(a):
    x = np.ones(2)
    for k in range(3):
        x = x + root(lambda z, b: z**3 + z - b * k, x, args=(a * x,), tol=TIGHT).x  # noqa: B023
    return np.sum(x * a)


def in_a_while_loop(a):
    x, n = np.ones(2), 0
    while n < 3:
        x = root(lambda z: z**3 + z - a * x, x, tol=TIGHT).x + 1.0  # noqa: B023
        n += 1
    return np.sum(x)


def in_a_branch(a):
    if a[0] > 0.2:
        found = root(cubic, np.ones(2), args=(a,), tol=TIGHT)
    else:
        found = root(lambda x: x - a, np.ones(2), tol=TIGHT)
    return np.sum(found.x**2)


def solution(a):
    return root(cubic, np.ones(2), args=(a,), tol=TIGHT)


def in_a_helper(a):
    once, twice = solution(a), solution(2.0 * a)
    return np.sum(once.x) * np.sum(twice.x) if twice.success else 0.0


def carried(a):
    found = root(cubic, np.ones(2), args=(a,), tol=TIGHT)
    for k in range(3):
        found = root(lambda x: cubic(x, a * found.x * k + 1.0), found.x, tol=TIGHT)  # noqa: B023
    return np.sum(found.x)


def written_to(a):
    x = root(cubic, np.ones(2), args=(a,), tol=TIGHT).x
    x[0] *= 2.0
    x += a
    return x[0] * x[1]


def of_roots(a):
    def innermost(y):
        return root(lambda x: x**3 + x - y * a, np.ones(2), tol=TIGHT).x

    return np.sum(root(lambda y: y + innermost(y) - a**2, np.ones(2), tol=TOLERANCE).x)


class Model:
    def __init__(self, k):
        self.k = k

    def residual(self, x, a):
        return self.k * x**3 + x - a

    def solve(self, a):
        return root(self.residual, np.ones(2), args=(a,), tol=TIGHT).x


MODEL = Model(1.5)


def by_method(a):
    return np.sum(MODEL.solve(a) ** 2)


def smallest(a):
    found = minimize(
        objective, np.ones(2), (a,), "trust-exact", s2sad.grad(objective), s2sad.hessian(objective), tol=TIGHT
    )
    return np.sum(found.x) + 2.0 * found.fun


def smallest_newton(a):
    slope = lambda x: 2.0 * (x - a) + 4.0 * a[0] * x**3  # noqa: E731
    bend = lambda x: np.diag(2.0 + 12.0 * a[0] * x**2)  # noqa: E731
    found = minimize(
        lambda x: objective(x, a), np.ones(2), jac=slope, hess=bend, method="Newton-CG", tol=TIGHT
    )
    return np.prod(found.x) * found.fun


def smallest_of_pair(a):
    both = s2sad.value_and_grad(objective)
    found = minimize(both, np.ones(2), args=(a,), jac=True, method="BFGS", options={"gtol": TOLERANCE})
    return np.sum(found.x**2)


PROGRAMS = [
    by_args, by_one_value, by_closure, by_list, by_fsolve, by_number, by_gradient, with_slope, with_pair,
    in_a_matrix, in_a_structure, with_loops, in_a_loop, in_a_while_loop, in_a_branch, in_a_helper,
    carried, written_to, of_roots, by_method, smallest, smallest_newton, smallest_of_pair,
]  # fmt: skip
EACH = pytest.mark.parametrize("f", PROGRAMS, ids=[f.__name__ for f in PROGRAMS])


@EACH
def test_value_and_derivatives(f: Callable[..., Any]) -> None:
    given = A.copy()
    value, bar = s2sad.value_and_grad(f)(given)
    y, y_dot = s2sad.jvp(f, (given,), (DOT,))
    assert value == f(A) and y == value  # to the last bit
    assert_close([y_dot], differences(f, (A,), (DOT,), 1e-3), 1e-7, "tangent")
    assert abs(inner((bar,), (DOT,)) - y_dot) <= 1e-12 * max(1.0, abs(y_dot))
    gradient = s2sad.grad(f)
    product = differences(gradient, (A,), (DOT,), 1e-3)
    assert_close([s2sad.hvp(f, (given,), (DOT,))], product, 1e-6, "second order")
    assert_close(s2sad.jacrev(gradient)(given), s2sad.hessian(f)(given), 1e-10, "reverse over reverse")
    np.testing.assert_array_equal(given, A)


DIFFERS = [carried, in_a_loop, in_a_while_loop, in_a_branch, in_a_matrix]
"""Texts with something else in them that does not come back as it was: rows of tapes, shapes, copies."""


@EACH
def test_text_is_read_again(f: Callable[..., Any]) -> None:
    """Texts of programs and gradients stand alone and come back as they are; so do derivatives of them."""
    text = emitted("grad", f, (0,), (A,))
    names = written(text, f"emitted_{f.__name__}.py")
    gradient = names[last_function(text)]
    assert "s2sad" not in text.replace("# s2sad", "")
    np.testing.assert_array_equal(gradient(A), s2sad.grad(f)(A))
    again = emitted("primal", gradient, (0,), (A,))
    if f not in DIFFERS:
        assert body(again) == body(text)
    read = written(again, f"again_{f.__name__}.py")[last_function(again)]
    np.testing.assert_array_equal(read(A), gradient(A))
    assert_close(s2sad.jacrev(gradient)(A), s2sad.hessian(f)(A), 1e-10, "derivative of the text")
    primal = emitted("primal", f, (0,), (A,))
    read = written(primal, f"primal_{f.__name__}.py")[last_function(primal)]
    assert read(A) == f(A)
    assert_close(s2sad.grad(read)(A), s2sad.grad(f)(A), 1e-12, "gradient of the text")


def test_the_text() -> None:
    text = emitted("grad", by_args, (0,), (A,))
    assert "import scipy.optimize" in text
    assert "def cubic(x, a):\n    return x ** 3 + x - a\n" in text
    assert 'x = scipy.optimize.root(cubic, np.ones(2), args=(a,), method="hybr", tol=' in text
    text = emitted("grad", smallest, (0,), (A,))
    assert "    x = scipy.optimize.minimize(\n        objective,\n        t1,\n        args=(a,),\n" in text
    assert "        jac=objective_gradient,\n        hess=objective_hessian,\n" in text
    text = emitted("primal", smallest, (0,), (A,))
    assert "    solution = scipy.optimize.minimize(\n" in text


# --- what is solved less exactly than differences need: against Newton's method -----------------------------


def polished(slope: Callable[..., Any], x: Any, a: Any) -> Any:
    """Return the zero of a gradient near x."""
    bend = s2sad.jacfwd(slope)
    for _ in range(8):
        x = x - np.linalg.solve(np.atleast_2d(bend(x, a)), np.atleast_1d(slope(x, a))).reshape(np.shape(x))
    return x


def misfit(x, a):
    t = np.linspace(0.0, 1.0, 6)
    return x[0] * np.exp(-x[1] * t) - np.exp(-a[0] * t) - 0.1 * np.cos(5.0 * t) * a[1]


def cost(x, a):
    return 0.5 * np.sum(misfit(x, a) ** 2)


def fitted(a):
    found = least_squares(misfit, np.ones(2), args=(a,), xtol=1e-15, ftol=1e-15, gtol=1e-15)
    return np.sum(found.x**2) + 3.0 * found.cost + np.sum(found.fun**3)


def fitted_exactly(a):
    x = polished(s2sad.grad(cost), least_squares(misfit, np.ones(2), args=(a,)).x, a)
    return np.sum(x**2) + 3.0 * cost(x, a) + np.sum(misfit(x, a) ** 3)


def along(x, a):
    return (x - a[0]) ** 2 + np.exp(x * a[1])


def lowest(a):
    found = minimize_scalar(along, args=(a,), tol=1e-12)
    return found.x * found.fun


def lowest_exactly(a):
    x = polished(s2sad.grad(along), minimize_scalar(along, args=(a,)).x, a)
    return x * along(x, a)


def smallest_by_default(a):
    found = minimize(objective, np.ones(2), args=(a,), tol=1e-8)
    return np.sum(found.x**3) * found.fun


def smallest_exactly(a):
    x = polished(s2sad.grad(objective), minimize(objective, np.ones(2), args=(a,)).x, a)
    return np.sum(x**3) * objective(x, a)


@pytest.mark.parametrize(
    ("f", "exact"),
    [(fitted, fitted_exactly), (lowest, lowest_exactly), (smallest_by_default, smallest_exactly)],
)
def test_derivatives_of_what_is_minimal(f: Callable[..., Any], exact: Callable[..., Any]) -> None:
    value, bar = s2sad.value_and_grad(f)(A)
    assert value == f(A)
    slope = differences(exact, (A,), (DOT,), 1e-3)
    assert_close([s2sad.jvp(f, (A,), (DOT,))[1]], slope, 1e-5, "tangent")
    assert abs(inner((bar,), (DOT,)) - slope[0]) <= 1e-5 * max(1.0, abs(slope[0]))
    h = 1e-3
    moved = [exact(A + k * h * DOT) for k in (-1.0, 0.0, 1.0)]
    bend = (moved[0] - 2.0 * moved[1] + moved[2]) / h**2
    assert abs(DOT @ s2sad.hessian(f)(A) @ DOT - bend) <= 1e-4 * max(1.0, abs(bend))


@pytest.mark.parametrize(
    "method", ["Nelder-Mead", "Powell", "CG", "BFGS", "L-BFGS-B", "TNC", "COBYLA", "SLSQP"]
)
def test_every_method_of_minimize(method: str) -> None:
    def f(a):
        found = minimize(objective, np.ones(2), args=(a,), method=method)
        return np.sum(found.x) + found.fun

    value, bar = s2sad.value_and_grad(f)(A)
    assert value == f(A)
    exact = lambda a: smallest_at(a, method)  # noqa: E731
    assert abs(inner((bar,), (DOT,)) - differences(exact, (A,), (DOT,), 1e-3)[0]) < 1e-2


def smallest_at(a, method):
    x = polished(s2sad.grad(objective), minimize(objective, np.ones(2), args=(a,), method=method).x, a)
    return np.sum(x) + objective(x, a)


@pytest.mark.parametrize("method", ["hybr", "lm", "broyden1", "anderson", "krylov", "df-sane"])
def test_every_kind_of_root(method: str) -> None:
    def f(a):
        return np.sum(root(cubic, np.ones(2), args=(a,), method=method).x)

    value, bar = s2sad.value_and_grad(f)(A)
    assert value == f(A)
    assert_close(bar, 1.0 / (3.0 * fsolve(cubic, np.ones(2), args=(A,)) ** 2 + 1.0), 1e-4, method)


# --- one linear solve, no iterations -----------------------------------------------------------------------


@pytest.mark.parametrize("f", [by_args, smallest, fitted, smallest_newton])
def test_one_linear_solve(f: Callable[..., Any]) -> None:
    text = emitted("grad", f, (0,), (A,))
    assert text.count("np.linalg.solve(") == 1
    assert text.count("scipy.optimize.") == 1
    assert "_tape" not in text


def test_what_is_minimal_needs_no_linear_solve() -> None:
    def f(a):
        return minimize(objective, np.ones(2), args=(a,)).fun

    assert "solve" not in emitted("grad", f, (0,), (A,))
    x = minimize(objective, np.ones(2), args=(A,)).x
    assert_close(s2sad.grad(f)(A), s2sad.grad(objective, argnums=1)(x, A), 1e-15, "envelope")


def test_solvers_are_not_run_again() -> None:
    text = emitted("grad", in_a_loop, (0,), (A,))
    assert text.count("scipy.optimize.root(") == 1  # in the forward sweep


def test_guess_has_no_derivative() -> None:
    def f(a, x0):
        return np.sum(root(cubic, x0, args=(a,)).x)

    np.testing.assert_array_equal(s2sad.grad(f, argnums=1)(A, np.ones(2)), np.zeros(2))


def test_without_convergence() -> None:
    """SciPy says so in `success`; the derivative is that of the equation where the iterations ended."""

    def f(a):
        found = root(cubic, 50.0 * np.ones(2), args=(a,), options={"maxfev": 3})
        return np.sum(found.x) if not found.success else 0.0

    x = root(cubic, 50.0 * np.ones(2), args=(A,), options={"maxfev": 3}).x
    value, bar = s2sad.value_and_grad(f)(A)
    assert value == np.sum(x)
    assert_close(bar, 1.0 / (3.0 * x**2 + 1.0), 1e-12, "gradient")


def checked(a):
    found = root(cubic, np.ones(2), args=(a,), tol=TIGHT)
    assert found.success, found.message
    again = minimize(objective, found.x, args=(a,), options={"maxiter": 0 if a[0] > 1.0 else 100})
    if not again.success:
        raise RuntimeError(f"failed after {again.nit}: {again.message}")
    return again.fun


def test_messages_in_exceptions() -> None:
    assert s2sad.value_and_grad(checked)(A)[0] == checked(A)
    for f in (checked, s2sad.grad(checked)):
        with pytest.raises(RuntimeError, match="failed after 0: "):
            f(A + 1.0)


# --- other transforms --------------------------------------------------------------------------------------


def test_other_transforms() -> None:
    def roots(a):
        return root(cubic, np.ones(2), args=(a,), tol=TIGHT).x

    x = roots(A)
    J = np.diag(1.0 / (3.0 * x**2 + 1.0))
    for jacobian in (s2sad.jacfwd, s2sad.jacrev):
        assert_close(jacobian(roots)(A), J, 1e-12, jacobian.__name__)
    assert_close(s2sad.sparse_jacobian(roots)(A).toarray(), J, 1e-12, "sparse_jacobian")
    batch = np.stack((A, 2.0 * A))
    assert_close(s2sad.vmap(roots)(batch), np.stack((x, roots(2.0 * A))), 1e-15, "vmap")
    slope = s2sad.grad(lambda b: np.sum(s2sad.vmap(roots)(b) ** 2))(batch)
    assert_close(slope[0], 2.0 * J @ x, 1e-12, "gradient of vmap")
    series = s2sad.jet(roots, (A,), ((DOT, np.zeros(2)),))[1]
    assert_close(series[0], J @ DOT, 1e-12, "first derivative")
    assert_close(series[1], -6.0 * x * (J @ DOT) ** 3 / DOT, 1e-11, "second derivative")
    whole = s2sad.grad(in_a_while_loop)(A)
    assert_close(s2sad.grad(in_a_while_loop, checkpoint="sqrt")(A), whole, 1e-12, "checkpoint")
    assert_close(s2sad.grad(by_args, debug=True)(A), s2sad.grad(by_args)(A), 1e-15, "debug")


def test_what_can_be_read() -> None:
    def f(a):
        r = root(cubic, np.ones(2), args=(a,))
        m = minimize(objective, np.ones(2), args=(a,))
        n = minimize_scalar(along, args=(a,))
        q = least_squares(misfit, np.ones(2), args=(a,))
        return (
            (r.x, r.fun, r.success, r.status, r.nfev),
            (m.x, m.fun, m.success, m.status, m.nit, m.nfev),
            (n.x, n.fun, n.success, n.nit, n.nfev),
            (q.x, q.cost, q.fun, q.success, q.status, q.nfev),
        )

    text = emitted("primal", f, (0,), (A,))
    found, wanted = written(text, "read.py")[last_function(text)](A), f(A)
    for got, expected in zip(found, wanted, strict=True):
        for a, b in zip(got, expected, strict=True):
            np.testing.assert_array_equal(a, b)
            assert type(a) is type(b)
    (_, fun), (_, fun_dot) = s2sad.jvp(lambda a: (solution(a).x, solution(a).fun), (A,), (DOT,))
    np.testing.assert_array_equal(fun, solution(A).fun)
    np.testing.assert_array_equal(fun_dot, np.zeros(2))  # it is 0 whatever the parameters


LIMIT = 1e-9


def test_options() -> None:
    """Options that are literals, read around the program, or made in it."""

    def f(a, tol):
        options = {"maxfev": 200, "xtol": tol * 0.1}
        first = root(cubic, np.ones(2), args=(a,), tol=LIMIT).x
        weights = np.array([1.0, 2.0])
        second = least_squares(misfit, np.ones(2), args=(a,), x_scale=weights).x
        return np.sum(first) + np.sum(root(cubic, np.ones(2), args=(a,), options=options).x) + second[0]

    assert s2sad.value_and_grad(f)(A, 1e-6)[0] == f(A, 1e-6)
    assert s2sad.grad(f, argnums=1)(A, 1e-6) == 0.0


def test_without_scipy(tmp_path: Path) -> None:
    """Where SciPy is not there, nothing needs it."""
    file = tmp_path / "without_scipy.py"
    file.write_text(
        "import sys\n\nsys.modules['scipy'] = None\nimport numpy as np\nimport s2sad\n\n\n"
        "def root(x):\n    return x * x\n\n\n"
        "def f(x):\n    return np.sum(root(x))\n\n\n"
        "print(s2sad.grad(f)(np.ones(2)))\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, check=True)
    assert done.stdout == "[2. 2.]\n"
