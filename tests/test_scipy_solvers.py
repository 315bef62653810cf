"""Root finders and initial value problems of SciPy in programs as they stand: right, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
from oracle import assert_close, assert_same, differences, inner
from scipy.integrate import solve_ivp
from scipy.optimize import brentq, newton, root_scalar
from written import written

import s2sad

A, W = 1.3, np.array([0.7, 0.4, 1.9])
DOTS = (0.7, np.array([0.5, -1.0, 0.3]))
METHODS = ["brentq", "brenth", "bisect", "ridder"]


# --- roots: programs of a number and an array ----------------------------------------------------


def closure(a, w):
    return brentq(lambda x: np.sum(np.cos(w * x)) - a * x, 0.0, 2.0) * w[0]


def arguments(a, w):
    def f(x, slope, w):
        return np.sum(np.cos(w * x)) - slope * x

    return scipy.optimize.ridder(f, 0, 2.0, args=(2.0 * a, w)) + scipy.optimize.bisect(
        f, 0.0, 2, (a, w), 1e-15
    )


def with_derivative(a, w):
    def f(x):
        return np.exp(x * a) - w[0] * 3.0 - w[1]

    return newton(f, a, fprime=lambda x: a * np.exp(x * a)) ** 2


def without_derivative(a, w):
    return newton(lambda x: np.exp(x * a) - w[0] * 3.0 - w[1], 1.0, tol=1e-12) * w[2]


def results(a, w):
    def f(x, b):
        return np.exp(x * b) - w[0] * 3.0 - w[1]

    one = root_scalar(f, args=(a,), bracket=[0.0, 5.0])
    two = root_scalar(f, args=a, x0=1.0, x1=a, method="secant", xtol=1e-10)
    three = root_scalar(f, args=a, x0=1.0, xtol=1e-10)
    four = root_scalar(f, args=(a,), method="BRENTH", bracket=(0.0, 5.0), maxiter=60, rtol=1e-14)
    five, info = brentq(f, 0.0, 5.0, (a,), full_output=True)
    if one.converged and info.converged:
        return one.root * two.root * three.root * four.root + five
    return 0.0


def in_a_loop(a, w):
    s = 0.0
    for i in range(len(w)):
        if w[i] > 0.5:
            s += brentq(lambda x: x**3 + w[i] * x - s - a, -5.0, 5.0)  # noqa: B023
        else:
            s += 2.0 * newton(lambda x: x**3 + w[i] * x - s - a, a, tol=1e-12)  # noqa: B023
    return s


class Valve:
    """A function whose root is sought, as a method."""

    def __init__(self, stiffness):
        self.stiffness = stiffness

    def balance(self, x, a, w):
        return self.stiffness * np.tanh(x) + w[1] * x - a


VALVE = Valve(2.0)


def by_method(a, w):
    return brentq(VALVE.balance, -10, 10, (a, w))


def nested(a, w):
    def outer(x):
        return x - brentq(lambda z: z**3 + a * z - x - w[0], -3.0, 3.0) - w[1]

    return brentq(outer, -2.0, 4.0)


ROOTS = [closure, arguments, with_derivative, without_derivative, results, in_a_loop, by_method, nested]


@pytest.mark.parametrize("f", ROOTS, ids=lambda f: f.__name__)
def test_roots(f: Callable[..., Any]) -> None:
    gradient = s2sad.value_and_grad(f, argnums=(0, 1))
    value, slope = gradient(A, W)
    assert abs(value - f(A, W)) <= np.spacing(abs(value))
    assert_close([inner(DOTS, slope)], differences(f, (A, W), DOTS), 1e-7, "gradient")
    assert_close(s2sad.jvp(f, (A, W), DOTS)[1], inner(DOTS, slope), 1e-13, "jvp")
    curved = s2sad.hvp(f, (A, W), DOTS)
    expected = differences(lambda a, w: gradient(a, w)[1], (A, W), DOTS)
    assert_close(list(curved), expected, 1e-6, "second order")
    twice = s2sad.jvp(lambda a, w: s2sad.jvp(f, (a, w), DOTS)[1], (A, W), DOTS)[1]
    assert_close(twice, inner(DOTS, curved), 1e-11, "forward over forward")


@pytest.mark.parametrize("f", [closure, results, in_a_loop], ids=lambda f: f.__name__)
def test_roots_compiled(f: Callable[..., Any]) -> None:
    expected = s2sad.value_and_grad(f, argnums=(0, 1))(A, W)
    assert_close(s2sad.value_and_grad(f, argnums=(0, 1), jit=True)(A, W), expected, 1e-12, "gradient")
    if f is closure:
        expected = s2sad.hvp(f, (A, W), DOTS)
        assert_close(s2sad.hvp(f, (A, W), DOTS, jit=True), expected, 1e-11, "second order")


def test_the_search_leaves_no_tape() -> None:
    text = s2sad.grad(closure, argnums=(0, 1)).source_for(A, W)
    assert "_tape" not in text
    assert text.count("for k in range(100):") == 1
    assert "range" not in text.split("# reverse sweep")[1]


@pytest.mark.parametrize("method", METHODS)
def test_every_step_is_that_of_scipy(method: str) -> None:
    def f(x, a, b, c):
        return np.exp(a * x) - b + np.sin(c * x)

    def ours(a, b, c, low, high):
        found = root_scalar(f, args=(a, b, c), bracket=[low, high], method=method)
        return found.root, (found.iterations, found.function_calls, found.converged)

    read = s2sad.value_and_grad(ours, has_aux=True)
    compiled = s2sad.jit(ours) if method == "brentq" else None
    rng = np.random.default_rng(4)
    for _ in range(40):
        point = (*rng.uniform(0.2, 2.0, 3), rng.uniform(-9.0, -3.0), rng.uniform(1.0, 4.0))
        a, b, c, low, high = map(float, point)
        if f(low, a, b, c) * f(high, a, b, c) >= 0.0:
            continue
        root, counts = ours(a, b, c, low, high)
        (got, got_counts), _ = read(a, b, c, low, high)
        assert_same(got, float(root), f"{point}")
        assert tuple(got_counts) == counts
        if compiled is not None:
            assert_close(compiled(a, b, c, low, high)[0], root, 1e-11, "compiled")


@pytest.mark.parametrize("options", [{}, {"x1": 0.9}, {"fprime": True}], ids=["alone", "x1", "fprime"])
def test_every_step_from_a_point_is_that_of_scipy(options: dict[str, Any]) -> None:
    def slope(x, a, b):
        return a * np.exp(a * x) + 1.0

    def ours(a, b, x0):
        if "fprime" in options:
            found = root_scalar(lambda x, a, b: np.exp(a * x) + x - b, (a, b), x0=x0, fprime=slope)
        elif "x1" in options:
            found = root_scalar(lambda x, a, b: np.exp(a * x) + x - b, (a, b), x0=x0, x1=0.9)
        else:
            found = root_scalar(lambda x, a, b: np.exp(a * x) + x - b, (a, b), x0=x0)
        return found.root, (found.iterations, found.function_calls, found.converged)

    read = s2sad.value_and_grad(ours, has_aux=True)
    rng = np.random.default_rng(5)
    for _ in range(20):
        point = tuple(map(float, rng.uniform(0.2, 2.0, 3)))
        root, counts = ours(*point)
        (got, got_counts), _ = read(*point)
        assert_same(got, root, str(point))
        assert tuple(got_counts) == counts


def test_a_method_that_is_named_outside_is_read_once() -> None:
    method = "BRENTQ"

    def f(a):
        return root_scalar(lambda x: np.exp(x) - a, bracket=[-9.0, 9.0], method=method).root

    read = s2sad.grad(f)
    assert_close([read(2.0), read(4.0)], [0.5, 0.25], 1e-12, "gradient")
    assert [len(v) for v in read.program.variants.values()] == [1]


def test_a_root_at_an_end() -> None:
    def f(a):
        return brentq(lambda x: x - a, 1.0, 3.0) + scipy.optimize.bisect(lambda x: x - 2.0 * a, -3.0, 2.0)

    assert_same(s2sad.value_and_grad(f)(1.0), (3.0, 3.0), "gradient")


@pytest.mark.parametrize("jit", [False, True])
def test_what_raises_in_scipy_raises(jit: bool) -> None:
    def no_change(a):
        return brentq(lambda x: x * x + a, -1.0, 1.0)

    def too_few(a):
        return brentq(lambda x: np.exp(x) - a, -9.0, 9.0, maxiter=2)

    def flat(a):
        return newton(lambda x: x * x + a, 0.0, fprime=lambda x: 2.0 * x)

    def nan(a):
        return brentq(lambda x: np.sqrt(x) - a, -1.0, 9.0)

    with np.errstate(all="ignore"):
        for f, error in (
            (no_change, ValueError),
            (too_few, RuntimeError),
            (flat, RuntimeError),
            (nan, ValueError),
        ):
            with pytest.raises(error):
                f(1.0)
            with pytest.raises(error):
                s2sad.grad(f, jit=jit)(1.0)


def test_what_has_not_converged_has_no_derivative() -> None:
    def f(a):
        found = root_scalar(lambda x: np.exp(x) - a, bracket=[-9.0, 9.0], maxiter=3)
        return found.root if a > 5.0 or found.converged else 3.0 * a

    value, slope = s2sad.value_and_grad(f)(6.0)
    assert value == f(6.0)
    assert np.isnan(slope)
    assert np.isnan(s2sad.jvp(f, (6.0,), (1.0,))[1])
    assert s2sad.grad(f)(4.0) == 3.0 == s2sad.jvp(f, (4.0,), (1.0,))[1]

    def quiet(a):
        return brentq(lambda x: np.exp(x) - a, -9.0, 8.0, maxiter=1, disp=False)

    for jit in (False, True):
        assert s2sad.value_and_grad(quiet, jit=jit)(2.0)[0] == quiet(2.0)
        assert np.isnan(s2sad.grad(quiet, jit=jit)(2.0))


# --- initial value problems ----------------------------------------------------------------------

Y0, TIMES, SPAN = np.array([1.0, 0.5]), np.array([0.3, 0.7, 1.9, 3.0, 3.9]), np.array([0.3, 4.0])


def pendulum(t, y, k):
    return [y[1], -k * np.sin(y[0]) - 0.1 * y[1] * t]


def solution(y0, k, t, options):
    found = solve_ivp(pendulum, (t[0], t[-1]), y0, args=(k,), **options)
    return found.t, found.y, found.nfev, found.status, found.success


CHOICES: dict[str, dict[str, Any]] = {
    "default": {},
    "times": {"t_eval": TIMES, "rtol": 1e-7, "atol": np.array([1e-8, 1e-6])},
    "listed": {"t_eval": [0.5, 1, 2], "first_step": 1.9, "atol": [1e-5, 1e-6]},
    "small": {"max_step": 0.3, "rtol": 1e-15, "atol": 1e-7},
    "backwards": {"t_eval": TIMES[::-1].copy(), "backwards": True},
    "all of it backwards": {"backwards": True},
}


@pytest.mark.filterwarnings("ignore:At least one element")
@pytest.mark.parametrize("method", ["RK45", "RK23"])
@pytest.mark.parametrize("choice", CHOICES)
def test_every_step_of_an_integration_is_that_of_scipy(choice: str, method: str) -> None:
    options = CHOICES[choice] | {"method": method}
    span = SPAN[::-1].copy() if options.pop("backwards", False) else SPAN

    def f(y0, k):
        return solution(y0, k, span, options)

    t, y, *rest = s2sad.linearize(f, Y0, 2.0)[0]
    expected_t, expected_y, *expected = f(Y0, 2.0)
    assert_close(t, np.asarray(expected_t, dtype=t.dtype), 1e-12, "times")
    assert y.shape == expected_y.shape
    assert_close(y, expected_y, 1e-11 if choice == "small" else 1e-12, "states")
    assert [*map(int, rest)] == [*map(int, expected)]


def loss(y0, k, span, times):
    found = solve_ivp(pendulum, span, y0, t_eval=times, args=(k,), rtol=1e-10, atol=1e-12)
    return np.sum(found.y * np.cos(np.arange(10.0).reshape(2, 5))) + np.sum(found.t**2)


def last(y0, k, span, times):
    def slope(t, y):
        return np.stack([np.cos(t) * y[1], -k * np.sin(y[0]) - 0.1 * y[1] * t])

    found = solve_ivp(slope, (span[0], span[1]), [y0[0], y0[1] * times[0]], rtol=1e-10, atol=1e-12)
    return found.y[0, -1] * found.y[1, -1] + found.t[-1]


IVP = (Y0, 2.0, SPAN, TIMES + 1e-3)
IVP_DOTS = (np.array([0.5, -1.0]), 1.0, np.array([0.3, -0.2]), np.array([1.0, 0.5, -1.0, 0.3, 0.7]))


@pytest.mark.parametrize("f", [loss, last], ids=["at times", "at the end"])
def test_the_discrete_adjoint(f: Callable[..., Any]) -> None:
    each = (0, 1, 2, 3)
    value, slope = s2sad.value_and_grad(f, argnums=each)(*IVP)
    assert_close(value, f(*IVP), 1e-12, "value")
    assert_close([inner(IVP_DOTS, slope)], differences(f, IVP, IVP_DOTS, 1e-4), 1e-7, "gradient")
    assert_close(s2sad.jvp(f, IVP, IVP_DOTS)[1], inner(IVP_DOTS, slope), 1e-12, "jvp")
    assert_close(s2sad.grad(f, argnums=each, jit=True)(*IVP), slope, 1e-9, "compiled")
    assert_close(s2sad.grad(f, argnums=each, checkpoint=4)(*IVP), slope, 1e-12, "snapshots")


def test_second_order_of_an_integration() -> None:
    gradient = s2sad.grad(loss, argnums=(0, 1, 2, 3))
    found = s2sad.hvp(loss, IVP, IVP_DOTS)
    assert_close(list(found), differences(gradient, IVP, IVP_DOTS, 1e-4), 1e-5, "hvp")


def test_a_fit_in_a_loop_with_a_branch() -> None:
    def f(k, data):
        total = 0.0
        for i in range(data.shape[0]):
            if data[i, 0] > 0.0:
                found = solve_ivp(
                    lambda t, y: -k * y * data[i, 1],  # noqa: B023
                    (0.0, 1.0),
                    data[i],
                    t_eval=[0.5, 1],
                    rtol=1e-9,
                )
                if found.success:
                    total += np.sum((found.y[:, 1] - 0.5) ** 2)
            else:
                total += k
        return total

    data = np.array([[1.0, 2.0], [-1.0, 0.3], [0.4, 0.9]])
    for jit in (False, True):
        value, slope = s2sad.value_and_grad(f, jit=jit)(0.8, data)
        assert_close(value, f(0.8, data), 1e-12, "value")
        assert_close([slope], differences(f, (0.8, data), (1.0, None), 1e-3), 1e-5, "gradient")


def test_a_rejected_step_that_is_nan_leaves_nothing_in_the_gradient() -> None:
    def f(y0, k):
        found = scipy.integrate.solve_ivp(
            lambda t, y: -k * np.sqrt(y - 0.1), (0.0, 1.8), y0, first_step=1.8, rtol=1e-9, atol=1e-9
        )
        return found.y[0, -1]

    with np.errstate(invalid="ignore"):
        value, slope = s2sad.value_and_grad(f, argnums=(0, 1))(np.array([1.0]), 1.0)
        assert_close(value, f(np.array([1.0]), 1.0), 1e-12, "value")
        expected = differences(f, (np.array([1.0]), 1.0), (np.ones(1), 1.0), 1e-3)
    assert_close([slope[0][0] + slope[1]], expected, 1e-6, "gradient")


def test_times_that_are_not_reached_are_nan() -> None:
    def f(k):
        found = solve_ivp(lambda t, y: k * y**2, (0.0, 3.0), [1.0], t_eval=[0.5, 2.0])
        return found.y[0], found.success

    with np.errstate(all="ignore"):
        (y, success), _ = s2sad.linearize(f, 1.0)
        expected = f(1.0)
    assert not success and not expected[1]
    assert_close(y[0], expected[0][0], 1e-12, "reached")
    assert expected[0].shape == (1,) and np.isnan(y[1])


def test_a_slope_that_is_a_number() -> None:
    def f(a, y0):
        found = solve_ivp(lambda t, y: -a * y[0], (0, 1), [y0], rtol=1e-9, atol=1e-9)
        return found.y[-1, -1]

    value, slope = s2sad.value_and_grad(f, argnums=(0, 1))(2.0, 3.0)
    assert_close(value, f(2.0, 3.0), 1e-12, "value")
    assert_close(slope, (-3.0 * np.exp(-2.0), np.exp(-2.0)), 1e-8, "gradient")


def test_an_empty_span() -> None:
    def f(y0, t):
        found = solve_ivp(lambda t, y: -y, (t, t), y0)
        return np.sum(found.y) + found.nfev + found.t[1]

    assert_same(s2sad.value_and_grad(f)(Y0, 1.5), (f(Y0, 1.5), np.full(2, 2.0)), "gradient")


@pytest.mark.parametrize("jit", [False, True])
def test_what_raises_in_solve_ivp_raises(jit: bool) -> None:
    bad: list[tuple[dict[str, Any], str]] = [
        ({"t_eval": [0.5, 2.0]}, "not within"), ({"t_eval": [0.5, 0.4]}, "not properly sorted"),
        ({"first_step": 2.0}, "exceeds bounds"), ({"atol": -1.0}, "must be positive"),
    ]  # fmt: skip
    for options, why in bad if not jit else bad[:1]:

        def f(y0, options=options):
            return np.sum(solve_ivp(lambda t, y: -y, (0.0, 1.0), y0, **options).y)

        for g in (f, s2sad.grad(f, jit=jit)):
            with pytest.raises(ValueError, match=why):
                g(Y0)
    with pytest.raises(ValueError, match="must be finite"):
        s2sad.grad(lambda y0: np.sum(solve_ivp(lambda t, y: -y, (0, 1), y0).y), jit=jit)(np.array([np.nan]))


# --- text ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("f", "args"), [(closure, (A, W)), (loss, IVP)], ids=["root", "ivp"])
def test_the_text_stands_alone_and_is_read_again(f: Callable[..., Any], args: Any) -> None:
    gradient = s2sad.grad(f, argnums=tuple(range(len(args))))
    text = gradient.source_for(*args)
    assert "import scipy" not in text
    assert "from scipy" not in text
    again = written(text, f"{f.__name__}_alone.py", {})[f"{f.__name__}_grad"]
    assert_same(again(*args), gradient(*args), "text")
    assert_close(s2sad.linearize(again, *args)[0], gradient(*args), 1e-13, "read again")


# --- refused -------------------------------------------------------------------------------------

REFUSED: list[tuple[Callable[..., Any], str, str]] = [
    (lambda a: scipy.optimize.toms748(lambda x: x - a, 0.0, 9.0), "toms748", "brentq"),
    (lambda a: newton(lambda x: x - a, 0.0, lambda x: 1.0, fprime2=lambda x: 0.0), "Halley", "leave out"),
    (lambda a: root_scalar(lambda x: (x - a, 1.0), x0=0.0, fprime=True).root, "fprime=True", "as a function"),
    (lambda a: root_scalar(lambda x: x - a, bracket=[0, 9], method="toms748").root, "toms748", "brentq"),
    (lambda a: root_scalar(lambda x: x - a, x0=0.0, options={}).root, "options= of root_scalar", "xtol="),
    (lambda a: root_scalar(lambda x: x - a).root, "x0 must not be None", "pass x0="),
    (lambda a: root_scalar(lambda x: x - a, method="brentq").root, "Bracket needed", "bracket="),
    (lambda a: newton(lambda x: x - a, np.zeros(3))[0], "an array of points", "in a loop"),
    (lambda a: brentq(lambda x: np.array([x - a]), 0.0, 9.0), "returns an array", "return a number"),
    (lambda a: brentq(lambda x: x - a, 0.0, 9.0, full_output=True)[1].flag, "no attribute `flag`", ""),
    (lambda a: brentq(lambda x: x - a + np.random.rand(), 0.0, 9.0), "draw", "pass the numbers"),
    (lambda a: integral(a, events=lambda t, y: y[0]), "events= of solve_ivp", ".y"),
    (lambda a: integral(a, dense_output=True), "dense_output=True", "t_eval="),
    (lambda a: integral(a, vectorized=True), "vectorized=True", "leave it out"),
    (lambda a: integral(a, jac=lambda t, y: [[-1.0]]), "jac= of solve_ivp", "leave out jac="),
    (lambda a: integral(a, method="BDF"), "method='BDF'", "RK45"),
    (lambda a: integral(a, method=scipy.integrate.RK45), "method=", "RK45"),
    (lambda a: solve_ivp(lambda t, y: -y, (0, 1), [[a]]).y[0, 0], "1-dimensional", "ravel"),
    (lambda a: solve_ivp(lambda t, y: -y, (0, 1), [a * 1j]).y[0, 0].real, "complex y0", "imaginary"),
    (lambda a: solve_ivp(lambda t, y: -y, (0, 1), [a]).message, "no attribute `message`", ""),
    (lambda a: solve_ivp(lambda t, y: [[-a]], (0, 1), [a]).y[0, 0], "more than one axis", "a vector"),
    (
        lambda a: solve_ivp(lambda t, y: -y * np.random.rand(), (0, 1), [a]).y[0, 0],
        "draw",
        "pass the numbers",
    ),
    (lambda a: scipy.integrate.odeint(lambda y, t: -y, [a], [0, 1])[0, 0], "LSODA", "s2sad.odeint"),
]


def integral(a, **options):
    return solve_ivp(lambda t, y: -y, (0.0, 1.0), [a], **options).y[0, -1]


@pytest.mark.parametrize(("f", "why", "instead"), REFUSED, ids=[why for _, why, _ in REFUSED])
def test_what_is_not_supported_is_refused_where_it_stands(
    f: Callable[..., Any], why: str, instead: str
) -> None:
    with pytest.raises(s2sad.S2sadError) as caught:
        s2sad.grad(f)(2.0)
    assert why in str(caught.value)
    assert instead in str(caught.value)
    assert str(caught.value).startswith("test_scipy_solvers.py:")


def test_a_function_that_writes_around_it_is_refused() -> None:
    def f(a):
        seen = np.zeros(1)

        def slope(t, y):
            seen[0] = t
            return -y

        return solve_ivp(slope, (0.0, 1.0), [a]).y[0, -1] + seen[0]

    with pytest.raises(
        s2sad.UnsupportedSyntax, match="S127 a function that a solver of SciPy calls must not write"
    ):
        s2sad.grad(f)(1.0)
