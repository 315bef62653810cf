"""s2sad.jet: closed forms, structures, refusals, text, cost; on NumPy and as loop nests."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from math import factorial
from typing import Any, NamedTuple

import numpy as np
import pytest
import scipy.linalg as sla
from numpy.polynomial import polynomial
from oracle import assert_close, assert_same, copied
from property.verdicts import loaded, lowering_interpreted
from scipy import special

import s2sad
from s2sad import api

LOWERED = pytest.mark.parametrize("lowered", [False, True], ids=["numpy", "lowered"])
RNG = np.random.default_rng(11)
K = 5
FACTORIALS = np.array([float(factorial(k)) for k in range(K + 1)])
ONE = (1.0, 0.0, 0.0, 0.0, 0.0)


def jet(f: Callable[..., Any], primals: Any, series: Any, lowered: bool = False) -> Any:
    """Return the jet, of loop nests run as plain Python if `lowered`."""
    with lowering_interpreted(), np.errstate(all="ignore"):
        return s2sad.jet(f, primals, series, jit=lowered)


def source(f: Callable[..., Any], order: int) -> str:
    """Return what was emitted for the last jet of f."""
    variant = api._program("jet", f, False, False, order=order).last
    assert variant is not None
    return variant.main.source


# --- functions of one number: all derivatives are known -------------------------------------------

X = 0.7
CLOSED: dict[str, tuple[Callable[[Any], Any], float, Callable[[int], Any]]] = {
    "exp": (lambda x: np.exp(x), X, lambda k: np.exp(X)),
    "sin": (lambda x: np.sin(x), X, lambda k: np.sin(X + 0.5 * np.pi * k)),
    "cos": (lambda x: np.cos(x), X, lambda k: np.cos(X + 0.5 * np.pi * k)),
    "sinh": (lambda x: np.sinh(x), X, lambda k: np.cosh(X) if k % 2 else np.sinh(X)),
    "log": (
        lambda x: np.log(x),
        X,
        lambda k: (-1.0) ** (k - 1) * factorial(k - 1) / X**k if k else np.log(X),
    ),
    "division": (lambda x: 1.0 / x, X, lambda k: (-1.0) ** k * factorial(k) / X ** (k + 1)),
    "sqrt": (lambda x: np.sqrt(x), X, lambda k: falling(0.5, k) * X ** (0.5 - k)),
    "negative power": (lambda x: x**-2, -X, lambda k: falling(-2, k) * (-X) ** (-2 - k)),
    "negative base": (lambda x: x**3, -X, lambda k: falling(3, k) * (-X) ** (3 - k) if k < 4 else 0.0),
    "power at 0": (lambda x: x**3, 0.0, lambda k: 6.0 if k == 3 else 0.0),
    "square at 0": (lambda x: x**2, 0.0, lambda k: 2.0 if k == 2 else 0.0),
    "constant power": (lambda x: x**0, X, lambda k: 0.0 if k else 1.0),
    "root at 0": (lambda x: x**2.5, 0.0, lambda k: np.inf if k == 3 else 0.0 if k < 3 else None),
    "power of a constant": (lambda x: 2.0**x, X, lambda k: 2.0**X * np.log(2.0) ** k),
    "tanh at 0": (lambda x: np.tanh(x), 0.0, lambda k: (0.0, 1.0, 0.0, -2.0, 0.0, 16.0)[k]),
    "arctan at 0": (lambda x: np.arctan(x), 0.0, lambda k: (0.0, 1.0, 0.0, -2.0, 0.0, 24.0)[k]),
    "jn": (lambda x: special.jv(1, x), X, lambda k: special.jvp(1, X, k) if k else special.jv(1, X)),
    "digamma": (
        lambda x: special.gammaln(x),
        X,
        lambda k: special.polygamma(k - 1, X) if k else special.gammaln(X),
    ),
}


def falling(p: float, k: int) -> float:
    """Return p (p - 1) ... (p - k + 1)."""
    return float(np.prod([p - j for j in range(k)]))


@LOWERED
@pytest.mark.parametrize("name", CLOSED)
def test_closed_form(name: str, lowered: bool):
    f, x, derivative = CLOSED[name]
    y, series = jet(f, (np.float64(x),), (ONE,), lowered)
    for k, got in enumerate((y, *series)):
        wanted = derivative(k)
        if wanted is not None:
            assert got == pytest.approx(wanted, rel=1e-12, abs=1e-12), k


# --- polynomials are their own curves -------------------------------------------------------------


def polynomials(*shape: int) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, ...]]:
    """Return the coefficients of random curves, their value at 0, and their derivatives there."""
    c = RNG.normal(size=(K + 1, *shape))
    return c, c[0], tuple(FACTORIALS[k] * c[k] for k in range(1, K + 1))


def assert_coefficients(found: Any, coefficients: list[Any]) -> None:
    """Assert that a jet is that of the curve with these coefficients."""
    y, series = found
    wanted = [FACTORIALS[k] * c for k, c in enumerate(coefficients)]
    assert_close([y, *series], wanted, 1e-11, "coefficients")


@LOWERED
def test_products(lowered: bool):
    a, a0, a_terms = polynomials(3, 2)
    b, b0, b_terms = polynomials(2, 4)
    wanted = [sum(a[j] @ b[k - j] for j in range(k + 1)) for k in range(K + 1)]
    assert_coefficients(jet(lambda a, b: a @ b, (a0, b0), (a_terms, b_terms), lowered), wanted)
    wanted = [a0 @ b[k] for k in range(K + 1)]
    assert_coefficients(jet(lambda a, b: a @ b, (a0, b0), (None, b_terms), lowered), wanted)


def test_product_of_three():
    (a, a0, a_terms), (b, b0, b_terms), (c, c0, c_terms) = (polynomials(2) for _ in range(3))
    whole = [polynomial.polymul(polynomial.polymul(a[:, i], b[:, i]), c[:, i])[: K + 1] for i in range(2)]

    def product(a, b, c):
        return np.einsum("i,i,i->i", a, b, c)

    found = jet(product, (a0, b0, c0), (a_terms, b_terms, c_terms))
    assert_coefficients(found, list(np.array(whole).T))


@LOWERED
@pytest.mark.parametrize("shape", [(), (2,)], ids=["vector", "matrix"])
def test_solve(shape: tuple[int, ...], lowered: bool):
    a, _, a_terms = polynomials(3, 3)
    a[0] += 4.0 * np.eye(3)
    a0 = a[0]
    x, _, _ = polynomials(3, *shape)
    b = [sum(a[j] @ x[k - j] for j in range(k + 1)) for k in range(K + 1)]
    b_terms = tuple(FACTORIALS[k] * b[k] for k in range(1, K + 1))
    assert_coefficients(
        jet(lambda a, b: np.linalg.solve(a, b), (a0, b[0]), (a_terms, b_terms), lowered), list(x)
    )
    if not shape:
        _, series = jet(lambda a: np.linalg.inv(a) @ b[0], (a0,), (a_terms,), lowered)
        _, wanted = jet(lambda a: np.linalg.solve(a, b[0]), (a0,), (a_terms,), lowered)
        assert_close(series, wanted, 1e-9, "inverse")


def triangular(a, b):
    return sla.solve_triangular(a, b, lower=True, unit_diagonal=True, trans=1)


def banded(a, b):
    return sla.solve_banded((1, 1), a, b)


def sylvester(a, b):
    return sla.solve_sylvester(a, a, np.outer(b, b))


def root(a, b):
    return sla.sqrtm(a.T @ a + 9.0 * np.eye(3)) @ b


def exponential(a, b):
    return sla.expm(0.3 * a) @ b


@pytest.mark.parametrize("f", [triangular, banded, sylvester, root, exponential])
def test_matrices_of_scipy(f: Callable[..., Any]):
    _, a0, a_terms = polynomials(3, 3)
    _, b0, b_terms = polynomials(3)
    a0 = a0 + (np.array([[0.0], [6.0], [0.0]]) if f is banded else 4.0 * np.eye(3))
    check_steps(f, (a0, b0), (a_terms[:3], b_terms[:3]))


def check_steps(f: Callable[..., Any], primals: tuple[Any, ...], series: tuple[Any, ...]) -> None:
    """Check that each derivative is what differences of the one before say, along the curve."""
    order = len(series[0])
    _, found = jet(f, primals, series)

    def at(t: float) -> list[Any]:
        rows = [
            [sum(s[m + n - 1] * t**n / factorial(n) if m + n else p for n in range(order + 1 - m))
             for m in range(order + 1)]
            for p, s in zip(primals, ([*s] for s in series), strict=True)
        ]  # fmt: skip
        for row, p, s in zip(rows, primals, series, strict=True):
            row[0] = p + sum(s[n - 1] * t**n / factorial(n) for n in range(1, order + 1))
        y, terms = jet(f, tuple(r[0] for r in rows), tuple(tuple(r[1:]) for r in rows))
        return [y, *terms]

    h = 1e-3
    one, two, minus, less = at(h), at(2 * h), at(-h), at(-2 * h)
    for k in range(order):
        slope = (8.0 * (one[k] - minus[k]) - (two[k] - less[k])) / (12.0 * h)
        scale = max(1.0, float(np.max(np.abs(slope))))
        np.testing.assert_allclose(found[k], slope, rtol=0.0, atol=1e-7 * scale)


@LOWERED
def test_scans_and_choices(lowered: bool):
    c, x0, terms = polynomials(4)
    assert_coefficients(jet(lambda x: np.cumsum(x), (x0,), (terms,), lowered), list(np.cumsum(c, axis=1)))
    whole = c[:, 0]
    for i in range(1, 4):
        whole = polynomial.polymul(whole, c[:, i])
    assert_coefficients(jet(lambda x: np.prod(x), (x0,), (terms,), lowered), list(whole[: K + 1]))
    chosen = [np.where(x0 > 0.0, -2.0 * c[k], c[k, ::-1]) for k in range(K + 1)]

    def choose(x):
        return np.where(x > 0.0, -2.0 * x, x[::-1])

    assert_coefficients(jet(choose, (x0,), (terms,), lowered), chosen)


# --- programs ---------------------------------------------------------------------------------------


def horner(x, n):
    total = 0.0 * x
    k = 0
    while True:
        if k > n:
            break
        total = total * x + (k + 1.0)
        k += 1
    return total


def filled(x, out):
    for i in range(x.shape[0]):
        out[i] = np.exp(x[i])
        if i > 0:
            out[i] += out[i - 1] * x[i]


def in_place(x):
    out = np.zeros_like(x)
    filled(x, out)
    view = out[1:]
    view *= 2.0
    return out


@LOWERED
def test_loops(lowered: bool):
    p = np.polynomial.Polynomial([5.0, 4.0, 3.0, 2.0, 1.0])
    y, series = jet(horner, (0.3, 4), (ONE, None), lowered)
    assert_close([y, *series], [p.deriv(k)(0.3) if k else p(0.3) for k in range(K + 1)], 1e-12, "horner")
    check_steps(in_place, (np.array([0.3, -0.2, 0.5]),), (tuple(RNG.normal(size=(3, 3))),))


@LOWERED
def test_first_order_is_a_complex_step(lowered: bool):
    def f(x):
        return np.sum(np.exp(np.sin(x)) / (1.0 + x * x) + np.sqrt(2.0 + np.cos(x)) ** x)

    x, v = RNG.normal(size=4), RNG.normal(size=4)
    _, (slope,) = jet(f, (x,), ((v,),), lowered)
    assert slope == pytest.approx(np.imag(f(x + 1e-30j * v)) / 1e-30, rel=1e-13)


def test_compiled():
    _, x0, terms = polynomials(3)
    before = copied((x0, terms))
    assert_close(
        s2sad.jet(in_place, (x0,), (terms,), jit=True), s2sad.jet(in_place, (x0,), (terms,)), 1e-12, "jit"
    )
    assert_same((x0, terms), before, "arguments")


# --- structures and kinds ---------------------------------------------------------------------------


class Pair(NamedTuple):
    a: Any
    b: Any


def structured(p, n):
    return {"sum": p["w"].a + n * p["w"].b, "count": n, "square": p["c"] * p["c"]}


@pytest.mark.parametrize("f", [lambda x, b: x + b, lambda x, b: np.sum(x - b, axis=1), lambda x, b: x / b])
def test_broadcasting(f: Callable[..., Any]):
    x, b = RNG.normal(size=(2, 3)), np.array([2.0])
    terms = (np.array([1.0]), np.array([0.5]))
    y, series = s2sad.jet(f, (x, b), (None, terms))
    assert [np.shape(d) for d in series] == [np.shape(y)] * 2
    check_steps(lambda b: f(x, b), (b,), (terms,))


def test_structures():
    w = np.array([1.0, 2.0])
    primals = ({"w": Pair(w, 2.0), "c": np.float32(3.0)}, 4)
    series = ({"w": Pair((w, w), None), "c": (1.0, 0.5)}, None)
    y, found = s2sad.jet(structured, primals, series)
    assert_same(y, structured(*primals), "value")
    assert found["count"] is None
    assert_same(found["sum"], (w, w), "sum")
    assert_same(found["square"], (np.float32(6.0), np.float32(5.0)), "square")


@pytest.mark.parametrize("x", [3.0, np.float64(3.0), np.float32(3.0), np.array(3.0), 1.0 + 2.0j])
def test_kinds(x: Any):
    y, series = s2sad.jet(lambda x: x * x + 1.0, (x,), ((1.0, 0.0, 0.0),))
    assert [type(d) for d in series] == [type(y)] * 3
    assert_close(series, [2.0 * x, 2.0, 0.0], 1e-6, "kinds")


def test_order_zero():
    for series in (((),), (None,)):
        y, found = s2sad.jet(lambda x: np.sin(x), (0.5,), series)
        assert y == np.sin(0.5)
        assert found == ()


def test_none_is_zero():
    assert s2sad.jet(lambda x: x * x, (3.0,), ((1.0, None),)) == (9.0, (6.0, 2.0))


def test_results_are_apart():
    y, (first, second) = s2sad.jet(lambda x: x[::-1], (np.ones(3),), ((np.ones(3), np.ones(3)),))
    first[0] = 7.0
    assert y[0] == second[0] == 1.0


def test_arguments():
    with pytest.raises(TypeError, match="different lengths"):
        s2sad.jet(np.hypot, (1.0, 2.0), ((1.0,), (1.0, 2.0)))
    with pytest.raises(TypeError, match="1 series for 2 primals"):
        s2sad.jet(np.hypot, (1.0, 2.0), ((1.0,),))
    with pytest.raises(s2sad.TypeMismatch, match="S333"):
        s2sad.jet(np.sin, (1.0,), (1.0,))
    with pytest.raises(s2sad.TypeMismatch, match="S333"):
        s2sad.jet(np.sin, (np.ones(2),), ((np.ones(3),),))
    with pytest.raises(s2sad.TypeMismatch, match="S331"):
        s2sad.jet(lambda n: n * n, (3,), ((1.0,),))


# --- inside programs, and of programs that are given derivatives ----------------------------------------


def curvature(x):
    _, (_, second) = s2sad.jet(horner, (x, 4), ((1.0, 0.0), None))
    return second


@LOWERED
def test_inside_a_program(lowered: bool):
    p = np.polynomial.Polynomial([5.0, 4.0, 3.0, 2.0, 1.0])
    with lowering_interpreted():
        assert s2sad.jit(curvature)(0.3) == pytest.approx(p.deriv(2)(0.3), rel=1e-13)
        assert s2sad.grad(curvature, jit=lowered)(0.3) == pytest.approx(p.deriv(3)(0.3), rel=1e-13)
    _, series = jet(curvature, (0.3,), ((1.0, 0.0),), lowered)
    assert_close(series, [p.deriv(3)(0.3), p.deriv(4)(0.3)], 1e-12, "jet of a jet")


def nested_structure(x):
    def f(p, c):
        return p["a"] * p["b"] * c

    _, series = s2sad.jet(f, ({"a": x, "b": x * x}, 3.0), ({"a": (1.0, 0.0), "b": (2.0 * x, 2.0)}, None))
    return series[1]


def test_structures_inside_a_program():
    assert s2sad.jit(nested_structure)(2.0) == pytest.approx(36.0)


def test_wrong_arguments_inside_a_program():
    def uneven(x):
        return s2sad.jet(np.hypot, (x, x), ((1.0,), (1.0, 0.0)))[0]

    with pytest.raises(s2sad.TypeMismatch, match="different lengths"):
        s2sad.grad(uneven)(1.0)


@s2sad.custom_jvp
def softplus(x):
    return np.log(1.0 + np.exp(x))


@softplus.defjvp
def softplus_jvp(primals, tangents):
    (x,), (dot,) = primals, tangents
    return softplus(x), dot / (1.0 + np.exp(-x))


@s2sad.custom_vjp
def cubed(x, n):
    return n * x**3, x


cubed.defvjp(
    lambda x, n: ((n * x**3, x), (x, n)), lambda kept, g: (3.0 * kept[1] * kept[0] ** 2 * g[0] + g[1], None)
)


@LOWERED
@pytest.mark.parametrize("order", [1, 4])
def test_rules_of_the_user(order: int, lowered: bool):
    def ruled(x):
        return softplus(x * x) * x

    def plain(x):
        return np.log(1.0 + np.exp(x * x)) * x

    def reverse(x):
        return cubed(np.sin(x), 2)[0]

    terms = tuple(RNG.normal(size=order))
    assert_close(jet(ruled, (0.4,), (terms,), lowered), jet(plain, (0.4,), (terms,)), 1e-12, "jvp")
    wanted = jet(lambda x: 2 * np.sin(x) ** 3, (0.4,), (terms,))
    assert_close(jet(reverse, (0.4,), (terms,), lowered), wanted, 1e-12, "vjp")


def test_no_rule():
    def order_varies(v):
        return special.jv(v, 1.0)

    with pytest.raises(s2sad.UnsupportedOp, match=r"test_jet.py:\d+:\d+: S203"):
        s2sad.jet(order_varies, (0.5,), ((1.0, 0.0),))


# --- text -------------------------------------------------------------------------------------------


def test_text_is_a_program():
    def f(x, w):
        total = 0.0
        for i in range(x.shape[0]):
            total += np.tanh(x[i] * w[i])
        return total

    x, w, v = RNG.normal(size=(3, 3))
    terms = (v, w, x)
    _, wanted = s2sad.jet(f, (x, w), (terms, None))
    s2sad.jet(f, (x, w), (terms[:2], None))
    text = source(f, 2)
    assert "x_d1, x_d2" in text
    assert "raise" not in text.partition('"""')[2].partition("for")[2]
    written = loaded(text + "f = f_jet\n", "jet_text")
    (_, slopes), (_, dots) = s2sad.jvp(written, (x, w, *terms[:2]), (v, None, *terms[1:]))
    assert_close(slopes, wanted[:2], 1e-12, "the text")
    assert_close(dots, wanted[1:], 1e-12, "the jvp of the text")


def test_text():
    def f(x, n):
        s = x
        for _ in range(n):
            s = np.tanh(s) / x
        return s

    s2sad.jet(f, (0.5, 3), ((1.0, 0.0), None))
    lines = source(f, 2).partition('"""\n')[2].splitlines()
    assert [line.partition("  #")[0] for line in lines] == TEXT.splitlines()


TEXT = """\
    s = x
    s_d1 = x_d1
    s_d2 = x_d2
    for _ in range(n):
        t1 = np.tanh(s)
        t2 = 1.0 - t1 * t1
        t3 = t2 * s_d1
        t4 = 2.0 * (t3 * t1) * s_d1
        s = t1 / x
        s_d1 = (t3 - s * x_d1) / x
        s_d2 = (t2 * s_d2 - t4 - (2.0 * (s_d1 * x_d1) + s * x_d2)) / x
    return s, (s_d1, s_d2)
"""


def test_text_is_the_same_each_time():
    texts = set()
    for _ in range(2):

        def f(x):
            return np.sin(x) / np.cosh(x)

        s2sad.jet(f, (0.5,), (ONE,))
        texts.add(source(f, K))
    assert len(texts) == 1


def operations(f: Callable[..., Any], order: int) -> int:
    """Return how many operations a jet has."""
    s2sad.jet(f, (0.5,), ((1.0,) * order,))
    variant = api._program("jet", f, False, False, order=order).last
    assert variant is not None
    return sum(1 for i in variant.ir.block.walk() if i.op.cost)


@pytest.mark.parametrize("name", ["exp", "sin", "log", "division", "sqrt", "tanh at 0", "arctan at 0"])
def test_cost_is_quadratic(name: str):
    f = CLOSED[name][0]
    three, six, twelve = (operations(f, order) for order in (3, 6, 12))
    assert six <= 4.5 * three
    assert twelve <= 4.5 * six
    assert six <= 3 * 6 * 6


def test_signature_of_the_text():
    s2sad.jet(horner, (0.5, 2), ((1.0, 0.0), None))
    variant = api._program("jet", horner, False, False, order=2).last
    assert variant is not None
    assert list(inspect.signature(variant.main.function).parameters) == ["x", "n", "x_d1", "x_d2"]


def spread(a):
    y, s = np.zeros(3), 0.0
    for i in range(3):
        y[i] = (i - 0.5) * a
        y[:i] += y[i] ** 2
        s += y[0]
    return np.sum(y) * s


@pytest.mark.parametrize("jit", [False, True])
def test_third_order_where_a_sum_is_spread_again(jit: bool) -> None:
    """The cotangent of a sum is a number, and has to become an array in the text as well."""
    third = s2sad.grad(s2sad.grad(s2sad.grad(spread)), jit=jit)
    expected = s2sad.jet(spread, (1.1,), ((1.0, 0.0, 0.0),))[1][2]
    assert_close(third(1.1), expected, 1e-12, "reverse")
    lanes = s2sad.vmap(s2sad.jacrev(s2sad.grad(s2sad.grad(spread))), jit=jit)(np.array([1.1, 1.1]))
    assert_close(lanes, np.full(2, expected), 1e-12, "lanes")
