"""Random draws: NumPy's numbers, drawn once and in order, constants of the call; location and scale vary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from oracle import assert_close, differences

import s2sad

X = np.array([0.3, -0.7, 1.2])
P = np.array([0.2, 0.3, 0.5])
ROWS = np.arange(12.0).reshape(4, 3)
HOME = np.random.default_rng(11)

Draw = Callable[..., Any]


def seeded() -> np.random.Generator:
    return np.random.default_rng(5)


def legacy() -> np.random.RandomState:
    return np.random.RandomState(5)


BOTH: dict[str, Draw] = {
    "normal": lambda r: r.normal(),
    "normal of numbers": lambda r: r.normal(1.5, 2.0, 4),
    "normal of arrays": lambda r: r.normal(X, 0.5),
    "normal of both": lambda r: r.normal(X, np.abs(X) + ROWS),
    "normal of float32": lambda r: r.normal(X.astype(np.float32), 0.5, size=3),
    "uniform": lambda r: r.uniform(size=(2, 3)),
    "uniform of numbers": lambda r: r.uniform(-1.0, 2.5, 4),
    "uniform of arrays": lambda r: r.uniform(X, X + P),
    "exponential": lambda r: r.exponential(2.5, size=4),
    "laplace": lambda r: r.laplace(0.5, 2.0, 5),
    "gumbel": lambda r: r.gumbel(0.5, 2.0, 5),
    "logistic": lambda r: r.logistic(0.5, 2.0, 5),
    "rayleigh": lambda r: r.rayleigh(2.0, 5),
    "gamma": lambda r: r.gamma(1.5, 2.0, 5),
    "gamma of arrays": lambda r: r.gamma(np.exp(X), P),
    "standard": lambda r: r.standard_normal((2, 2)) + r.standard_exponential((2, 2)),
    "random": lambda r: r.random(3) + r.random(),
    "standard_gamma": lambda r: r.standard_gamma(2.0, 3),
    "standard_t": lambda r: r.standard_t(4.0, 3) + r.standard_cauchy(3),
    "beta": lambda r: r.beta(2.0, 3.0, 4) + r.beta(P, P + 1.0, (4, 3))[:, 0],
    "chisquare": lambda r: r.chisquare(3.0, 4) + r.f(3.0, 4.0, 4),
    "pareto": lambda r: r.pareto(3.0, 4) + r.power(2.0, 4) + r.weibull(1.5, 4),
    "triangular": lambda r: r.triangular(0.0, 0.3, 1.0, 4) + r.vonmises(0.1, 2.0, 4) + r.wald(1.0, 2.0, 4),
    "poisson": lambda r: r.poisson(3.0, 4) + r.binomial(5, 0.3, 4) + r.geometric(0.4, 4),
    "poisson of an array": lambda r: r.poisson(np.exp(X)),
    "one int": lambda r: r.poisson(3.0) + 1.0,
    "counts": lambda r: r.negative_binomial(3, 0.4, 4) + r.hypergeometric(5, 6, 7, 4) + r.zipf(3.0, 4),
    "dirichlet": lambda r: r.dirichlet(P, 4),
    "multinomial": lambda r: r.multinomial(7, P, size=2),
    "multivariate_normal": lambda r: r.multivariate_normal(X, np.diag(P), 4),
    "one vector": lambda r: r.multivariate_normal(X, np.diag(P)),
    "choice of ints": lambda r: r.choice(7, 3) + r.choice(7, 3, replace=False) + r.choice(7),
    "choice by weight": lambda r: r.choice(X, 4, p=P),
    "permutation": lambda r: r.permutation(5),
    "permutation of rows": lambda r: r.permutation(ROWS) + r.permutation(X),
}
NEW: dict[str, Draw] = {
    "choice of rows": lambda r: r.choice(ROWS, 5),
    "integers": lambda r: r.integers(5) + r.integers(2, 9, size=3) + r.integers(3, size=3, endpoint=True),
    "float32": lambda r: r.random(3, dtype=np.float32) + r.standard_normal(3, dtype=np.float32),
}
OLD: dict[str, Draw] = {
    "rand": lambda r: r.rand() + r.rand(2, 3) + r.randn(3) + r.randn(),
    "random_sample": lambda r: r.random_sample(3) + r.randint(5) + r.randint(2, 9, size=3),
}
CASES = [(name, draw, seeded) for name, draw in (BOTH | NEW).items()]
CASES += [(f"{name}, older", draw, legacy) for name, draw in (BOTH | OLD).items()]


@pytest.mark.parametrize(("draw", "stream"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_numbers_and_state(draw: Draw, stream: Callable[[], Any]):
    """The numbers are NumPy's, bit for bit, and the stream is left in the same state."""

    def f(x: Any, r: Any) -> Any:
        return draw(r) * 1.0, np.sum(x)

    theirs, ours = stream(), stream()
    expected, got = f(X, theirs)[0], s2sad.jvp(f, (X, ours), (X, None))[0][0]
    np.testing.assert_array_equal(got, expected)
    assert np.result_type(got) == np.result_type(expected)
    assert ours.random() == theirs.random()


def test_lognormal_is_numpys_but_for_the_last_bit():
    def f(x: Any, r: Any) -> Any:
        return r.lognormal(x, 0.5) + r.lognormal(0.1, 0.2)

    np.testing.assert_allclose(s2sad.jvp(f, (X, seeded()), (X, None))[0], f(X, seeded()), rtol=1e-15)


def loops(x: Any, r: Any) -> Any:
    """Draws in loops, branches, conditions and helpers."""
    total, n, state = 0.0, 0, np.zeros(3)
    for k in range(4):
        z = r.normal(x, 0.5 + x[0] ** 2)
        if r.random() < 0.5:
            state[k % 3] += z[0] * r.uniform(x[1], x[2])
        else:
            state = state * z
    while r.random() < 0.8 and n < 30:
        total += step(x, r)
        n += 1
    return total + np.sum(state * x) + float(n)


def step(x: Any, r: Any) -> Any:
    return np.sin(x[0] * r.exponential(x[2])) + r.laplace(x[1], x[2] * x[2])


def batches(x: Any, r: Any) -> Any:
    """Stochastic gradient descent with a permutation, as it is written."""
    w = x.copy()
    for _ in range(2):
        for i in r.permutation(4):
            w = w - 0.01 * (ROWS[i] @ w) * ROWS[i] * np.mean(x)
    return np.sum(w * w) + w[r.integers(3)]


def drawn_from_x(x: Any, r: Any) -> Any:
    y = x * 2.0
    r.shuffle(y)
    return np.sum(y * y * np.arange(3)) + np.sum(r.permutation(x) * x) + r.choice(x, 2, replace=False)[0] ** 3


def scales(x: Any, r: Any) -> Any:
    s = np.exp(x)
    parts = r.gumbel(x, s) + r.logistic(x[0], s) + r.rayleigh(s) + r.gamma(2.0, s) + r.lognormal(x, 0.1 * s)
    return np.sum(parts**2) + np.sum(r.uniform(x, s)) + r.normal(x[0])


PROGRAMS = (loops, batches, drawn_from_x, scales)


@pytest.mark.parametrize("f", PROGRAMS)
def test_pathwise_derivatives(f: Draw):
    def at(x: Any) -> Any:
        return f(x, seeded())

    dot = np.array([0.3, -0.4, 0.9])
    slope = differences(at, (X,), (dot,), 1e-4)
    y, y_dot = s2sad.jvp(f, (X, seeded()), (dot, None))
    theirs, ours = seeded(), seeded()
    value, bar = s2sad.value_and_grad(f)(X, ours)
    assert_close([y, value], [f(X, theirs), at(X)], 1e-13, "value")
    assert ours.bit_generator.state == theirs.bit_generator.state
    assert_close([y_dot, np.dot(bar, dot)], [slope[0]] * 2, 1e-8, "slope")
    product = s2sad.hvp(f, (X, seeded()), (dot, None))
    slopes = differences(lambda x: s2sad.grad(f)(x, seeded()), (X,), (dot,), 1e-4)
    assert_close([product], slopes, 1e-6, "second order")


def test_compiled_draws():
    theirs, ours = seeded(), seeded()
    expected, got = s2sad.grad(loops)(X, theirs), s2sad.grad(loops, jit=True)(X, ours)
    np.testing.assert_allclose(got, expected, rtol=1e-13)
    assert ours.bit_generator.state == theirs.bit_generator.state


class Noise:
    def __init__(self) -> None:
        self.rng, self.rate = seeded(), 0.5


def test_streams_of_objects_and_of_modules():
    def f(x: Any, noise: Noise) -> Any:
        mask = noise.rng.random(x.shape) < noise.rate
        return np.sum(x**2 * mask) * HOME.uniform()

    state = HOME.bit_generator.state
    bar = s2sad.grad(f)(X, Noise())
    HOME.bit_generator.state = state
    np.testing.assert_allclose(bar, 2 * X * (seeded().random(3) < 0.5) * HOME.uniform(), rtol=1e-15)


def test_streams_made_inside_are_not_one():
    def f(x: Any) -> Any:
        a, b = np.random.default_rng(3), np.random.default_rng(3)
        old = np.random.RandomState(4)
        return np.sum(x * a.normal(size=3) * b.normal(size=3)) + x[0] * a.normal() * old.randn()

    a, b = np.random.default_rng(3), np.random.default_rng(3)
    expected = a.normal(size=3) * b.normal(size=3)
    expected[0] += a.normal() * np.random.RandomState(4).randn()
    np.testing.assert_array_equal(s2sad.grad(f)(X), expected)


def test_numpys_own_stream():
    def f(x: Any) -> Any:
        np.random.seed(8)
        y = np.random.permutation(x) * np.random.randn(3) + np.random.normal(x, 2.0)
        np.random.shuffle(y)
        return np.sum(y * np.arange(3)) + x[np.random.randint(3)]

    assert_close([s2sad.grad(f)(X) @ P], differences(f, (X,), (P,), 1e-4), 1e-9, "slope")


def test_every_column_of_a_jacobian_sees_the_same_draws():
    def f(x: Any, r: Any) -> Any:
        return np.outer(r.normal(x), x)

    for transform in (s2sad.jacfwd, s2sad.jacrev, s2sad.jacobian):
        theirs, ours = seeded(), seeded()
        z = f(X, theirs)[:, 0] / X[0]
        expected = np.einsum("i,jk->ijk", z, np.eye(3)) + np.einsum("ik,j->ijk", np.eye(3), X)
        np.testing.assert_allclose(transform(f)(X, ours), expected, rtol=1e-13)
        assert ours.bit_generator.state == theirs.bit_generator.state

    def g(x: Any, r: Any) -> Any:
        return np.sum(x**3 * r.normal(size=3))

    z = seeded().normal(size=3)
    np.testing.assert_allclose(s2sad.hessian(g)(X, seeded()), np.diag(6 * X * z), rtol=1e-13)


def test_the_reverse_sweep_does_not_draw():
    def f(x: Any, r: Any) -> Any:
        return x * r.normal(size=3)

    ours = seeded()
    _, pullback = s2sad.vjp(f, X, ours)
    state = ours.bit_generator.state
    z = seeded().normal(size=3)
    for _ in range(2):
        np.testing.assert_array_equal(pullback(np.ones(3))[0], z)
    assert ours.bit_generator.state == state


def test_a_linearized_function_keeps_its_draws():
    def f(x: Any, r: Any) -> Any:
        return x * r.normal(size=3)

    ours = seeded()
    y, push = s2sad.linearize(f, X, ours)
    state = ours.bit_generator.state
    for _ in range(2):
        np.testing.assert_array_equal(push(X, None), y)
    assert ours.bit_generator.state == state


def test_what_would_draw_twice_inside_a_program_is_refused():
    def f(x: Any, r: Any) -> Any:
        return np.sum(x * r.normal(size=3))

    def pull(x: Any, r: Any) -> Any:
        y, back = s2sad.vjp(lambda x: f(x, r), x)
        return y + np.sum(back(1.0)[0])

    def push(x: Any, r: Any) -> Any:
        y, forward = s2sad.linearize(lambda x: f(x, r), x)
        return y + forward(x)

    def inner(x: Any, r: Any) -> Any:
        y, bar = s2sad.value_and_grad(lambda x: f(x, r))(x)
        return y + np.sum(bar * x)

    for program in (pull, push, inner):
        with pytest.raises(s2sad.S2sadError, match=r"S118 .* draws random numbers"):
            s2sad.grad(program)(X, seeded())


def test_helpers_that_draw_are_not_run_again():
    def noisy(x: Any) -> Any:
        total = 0.0
        for k in range(3):
            z = HOME.normal(x, 1.0)
            total = total + np.sum(np.sin(z) * z) * (k + 1.0)
            if total > 100.0:
                total = total / 2.0
        return total + np.sum(x * HOME.normal(size=3)) + np.prod(np.cos(x) * HOME.uniform())

    def f(x: Any) -> Any:
        return noisy(x) + noisy(2.0 * x) * noisy(x * x)

    state = HOME.bit_generator.state

    def at(x: Any) -> Any:
        HOME.bit_generator.state = state
        return f(x)

    slope = differences(at, (X,), (P,), 1e-4)[0]
    HOME.bit_generator.state = state
    assert_close([s2sad.grad(f)(X) @ P], [slope], 1e-8, "slope")


REFUSED: list[Draw] = [
    lambda x, r: np.sum(r.standard_gamma(x)),
    lambda x, r: np.sum(r.poisson(x)) * x[0],
    lambda x, r: x[r.choice(3, p=x / np.sum(x))],
    lambda x, r: r.dirichlet(x)[0],
]


@pytest.mark.parametrize("f", REFUSED)
def test_parameters_that_vary_are_refused(f: Draw):
    x = np.array([0.2, 0.3, 0.5])
    for run in (lambda: s2sad.grad(f)(x, seeded()), lambda: s2sad.jvp(f, (x, seeded()), (x, None))):
        with pytest.raises(s2sad.S2sadError, match="S203"):
            run()


def test_stop_gradient_allows_them():
    def f(x: Any, r: Any) -> Any:
        return np.sum(x * r.poisson(s2sad.stop_gradient(np.exp(x))))

    np.testing.assert_array_equal(s2sad.grad(f)(X, seeded()), seeded().poisson(np.exp(X)))


def test_helpers_that_seed_are_not_run_again():
    def restarted(x: Any) -> Any:
        np.random.seed(3)
        total = 0.0
        for k in range(3):
            total = total + np.sum(np.sin(x) * x) * (k + 1.0)
            if total > 100.0:
                total = total / 2.0
        return total + np.sum(x * np.cos(x)) + np.prod(np.cos(x) * x)

    def f(x: Any) -> Any:
        y = restarted(x) * restarted(2.0 * x)
        return y * np.random.normal()

    np.random.seed(1)
    value = f(X)
    after = np.random.get_state()
    y, pull = s2sad.vjp(f, X)
    assert_close([y], [value], 1e-13 * abs(value), "value")
    (bar,) = pull(1.0)
    assert_close([bar @ P], [differences(f, (X,), (P,), 1e-4)[0]], 1e-8, "slope")
    np.random.seed(1)
    s2sad.grad(f)(X)
    assert np.array_equal(np.random.get_state()[1], after[1]) and np.random.get_state()[2] == after[2]
