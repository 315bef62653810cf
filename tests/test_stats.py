"""scipy.stats through the whole compiler: densities and distribution functions, values and derivatives."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
import pytest
import scipy.stats as stats
from oracle import assert_close, differences, inner

import s2sad

X = np.array([0.4, 1.2, 2.2, 0.9])
COUNTS = np.array([0, 3, 1, 5])


def both(d: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    return d.pdf(x, *args, **kwargs) * d.logpdf(x, *args, **kwargs)


def four(d: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    two = d.cdf(x, *args, **kwargs) * d.logcdf(x, *args, **kwargs)
    return two + d.sf(x, *args, **kwargs) * d.logsf(x, *args, **kwargs)


def masses(d: Any, k: Any, *args: Any, **kwargs: Any) -> Any:
    return d.pmf(k, *args, **kwargs) * d.logpmf(k, *args, **kwargs)


def quantiles(d: Any, q: Any, *args: Any, **kwargs: Any) -> Any:
    return d.ppf(q, *args, **kwargs) + d.isf(q * q, *args, **kwargs)


PROGRAMS = [
    lambda x: both(stats.norm, x, x[1], x[2]) + four(stats.norm, x, loc=x[3], scale=x),
    lambda x: quantiles(stats.norm, x / 3.0, x[1], scale=x[2]),
    lambda x: both(stats.t, x, x[1] + 1.0, x[2], x[3]) + four(stats.t, x, 2.5, scale=x[0]),
    lambda x: quantiles(stats.t, x / 3.0, 3.5, x[1]) + stats.t.logpdf(x, math.inf),
    lambda x: both(stats.beta, x / 3.0, x[1], x[2]) + four(stats.beta, x, 1.5, 2.5, x[0] - 1.0, 4.0),
    lambda x: quantiles(stats.beta, x / 3.0, 3.5, 1.5, 0.5, x[1]),
    lambda x: both(stats.gamma, x, x[1], scale=x[2]) + four(stats.gamma, x, 1.5, x[0] - 1.0, x[1]),
    lambda x: quantiles(stats.gamma, x / 3.0, 3.5, 1.5, x[0]),
    lambda x: both(stats.chi2, x, x[1] + 1.0, scale=x[2]) + four(stats.chi2, x, 3.5, scale=x[1]),
    lambda x: quantiles(stats.chi2, x / 3.0, 3.5, scale=x[0]),
    lambda x: both(stats.expon, x, scale=x[2]) + four(stats.expon, x, x[0] - 1.0, x[1]),
    lambda x: both(stats.cauchy, x, x[0], x[2]) + four(stats.cauchy, x, x[0] - 1.0, x[1]),
    lambda x: both(stats.uniform, x, x[0] - 1.0, 5.0 * x[2]) + four(stats.uniform, x, -x[0], 5.0 * x[1]),
    lambda x: both(stats.laplace, x, 1.0, x[2]) + four(stats.laplace, x, x[0] - 0.1, x[1]),
    lambda x: both(stats.logistic, x, x[0], x[2]) + four(stats.logistic, x, x[0] - 1.0, x[1]),
    lambda x: both(stats.lognorm, x, x[1], scale=x[2]) + four(stats.lognorm, x, x[0], x[0] - 1.0, x[1]),
    lambda x: both(stats.weibull_min, x, x[1], 0.1, x[2]) + four(stats.weibull_min, x, x[0], -0.1, x[1]),
    lambda x: both(stats.pareto, x, x[1], -2.0, x[2]) + four(stats.pareto, x, x[0], -1.0, x[1]),
    lambda x: both(stats.halfnorm, x, scale=x[2]) + four(stats.halfnorm, x, x[0] - 1.0, x[1]),
    lambda x: quantiles(stats.expon, x / 3.0, scale=x[1]) + quantiles(stats.laplace, x / 3.0, x[1]),
    lambda x: quantiles(stats.cauchy, x / 3.0, scale=x[1]) + quantiles(stats.uniform, x / 3.0, x[1]),
    lambda x: quantiles(stats.logistic, x / 3.0, scale=x[1]) + quantiles(stats.lognorm, x / 3.0, x[1]),
    lambda x: quantiles(stats.weibull_min, x / 3.0, x[1]) + quantiles(stats.pareto, x / 3.0, x[1]),
    lambda x: quantiles(stats.halfnorm, x / 3.0, scale=x[1]),
    lambda x: masses(stats.poisson, COUNTS, x) + four(stats.poisson, COUNTS, x, loc=-1),
    lambda x: masses(stats.binom, COUNTS, 5, x / 3.0) + four(stats.binom, COUNTS, 6, x / 3.0),
    lambda x: masses(stats.bernoulli, np.array([0, 1, 1, 0]), x / 3.0) + stats.bernoulli.cdf(0, x / 3.0),
    lambda x: masses(stats.geom, COUNTS + 1, x / 3.0) + four(stats.geom, COUNTS + 1, x / 3.0),
    lambda x: masses(stats.nbinom, COUNTS, x, x[::-1] / 3.0) + four(stats.nbinom, COUNTS, 2.5, x / 3.0),
    lambda x: stats.bernoulli.sf(0, x / 3.0) + stats.bernoulli.logsf(0, x / 3.0),
    lambda x: stats.norm(x[0], scale=x[1]).logpdf(x) * stats.gamma(a=x[2]).pdf(x),
    lambda x: FROZEN.logpdf(x) + FROZEN.cdf(x) + stats.poisson(x[0]).logpmf(2),
    lambda x: stats.multivariate_normal.logpdf(x, x[::-1] ** 2, np.outer(x, x) + np.diag(x)),
    lambda x: stats.multivariate_normal.pdf(np.outer(x, x[:2] ** 2), x[:2], np.diag(x[2:]) + 0.1),
    lambda x: stats.multivariate_normal.logpdf(np.outer(x, x[:2] ** 2), x[:2], x[2]),
    lambda x: stats.multivariate_normal(x[2:], cov=x[:2]).logpdf(np.outer(x, x[:2] ** 2)),
    lambda x: stats.dirichlet.logpdf(x / np.sum(x), x[::-1]),
    lambda x: stats.dirichlet.pdf(np.array([0.2, 0.3]), np.array([x[0], x[1], x[2] * x[3]])),
    lambda x: stats.dirichlet.logpdf(np.array([[0.2, 0.5], [0.8, 0.5]]), x[:2] * x[2:]),
]
FROZEN = stats.norm(0.3, 1.7)
NORM = stats.norm
EYE = np.eye(2)


def text(f: Any) -> str:
    return inspect.getsource(f).strip().removeprefix("lambda x: ").rstrip(",")


def assert_right(f: Any, jit: bool, twice: bool = True) -> None:
    """Check value, both modes and, `twice`, second order of a function of X."""
    dot = np.random.default_rng(0).normal(size=X.shape)
    value = f(X)
    y, y_dot = s2sad.jvp(f, (X,), (dot,), jit=jit)
    assert_close([y], [value], 1e-13, "value")
    assert type(y) is type(value)
    assert_close([y_dot], differences(f, (X,), (dot,), 1e-4), 1e-8, "tangent")
    y, pullback = s2sad.vjp(f, X, jit=jit)
    y_bar = np.random.default_rng(1).normal(size=np.shape(value))
    (x_bar,) = pullback(y_bar if np.ndim(value) else y_bar[()])
    left, right = inner((np.asarray(y_bar),), (np.asarray(y_dot),)), inner((x_bar,), (dot,))
    assert abs(left - right) <= 1e-12 * max(1.0, abs(left))
    if not twice:
        return

    def total(x: Any) -> Any:
        return np.sum(f(x) * 0.5)

    second = s2sad.hvp(total, (X,), (dot,), jit=jit)
    assert_close([second], differences(s2sad.grad(total), (X,), (dot,), 1e-4), 1e-6, "second order")


@pytest.mark.parametrize("f", PROGRAMS, ids=text)
def test_value_and_modes(f: Any):
    assert_right(f, False, twice=f in PROGRAMS[::3])


def compiled(x: Any) -> Any:
    y = stats.norm.logpdf(x, x[0], x[1]) * stats.t.cdf(x, 2.5) + stats.gamma.logpdf(x, x[1], scale=x[3])
    return np.sum(y + stats.norm(x[0]).ppf(0.3 * x) + stats.poisson.logpmf(np.arange(4), x))


def test_compiled():
    value, x_bar = s2sad.value_and_grad(compiled, jit=True)(X)
    assert_close([value], [compiled(X)], 1e-13, "value")
    assert_close([x_bar], [s2sad.grad(compiled)(X)], 1e-12, "gradient")


OUTSIDE = [
    lambda x, a: stats.gamma.logpdf(x, a, 0.5, a) + stats.gamma.pdf(x, a, 0.5, a),
    lambda x, a: stats.expon.cdf(x, 1.0, a) + stats.expon.sf(x, 1.0, a) + stats.expon.logsf(x, 1.0, a),
    lambda x, a: stats.beta.logpdf(x, a, a, 1.0, a) + stats.beta.pdf(9.0 - x, a, a, 0.0, a),
    lambda x, a: stats.uniform.logpdf(x, 1.0, a) + stats.uniform.cdf(-x, a) + stats.uniform.sf(x + 9.0, a),
    lambda x, a: (
        stats.pareto.logcdf(x, a, scale=a) + stats.lognorm.logpdf(x, a) + stats.weibull_min.pdf(x, a)
    ),
    lambda x, a: stats.halfnorm.logpdf(x, scale=a) + stats.chi2.logpdf(x, a),
    lambda x, a: stats.poisson.logpmf(np.array([-1, -2, -5]), a) + stats.binom.pmf(7, 3, a / 4.0),
    lambda x, a: stats.nbinom.pmf(np.array([0.5, -1.0, -3.0]), a, a / 4.0) + stats.geom.logpmf(0, a / 4.0),
]


@pytest.mark.parametrize("f", OUTSIDE, ids=text)
def test_outside_the_support_derivatives_are_zero(f: Any):
    x, a = np.array([-0.5, -1.0, -3.0]), 1.7
    value, (x_bar, a_bar) = s2sad.value_and_grad(lambda x, a: np.sum(f(x, a)), argnums=(0, 1))(x, a)
    assert value == np.sum(f(x, a))
    np.testing.assert_array_equal(x_bar, np.zeros(3))
    assert a_bar == 0.0


AT_EDGES = [
    (lambda x: stats.expon.logpdf(x), 0.0, -1.0),
    (lambda x: stats.gamma.logpdf(x, 1.0), 0.0, -1.0),
    (lambda x: stats.gamma.pdf(x, 1.0), 0.0, -1.0),
    (lambda x: stats.weibull_min.pdf(x, 2.0), 0.0, 2.0),
    (lambda x: stats.beta.logpdf(x, 1.0, 1.0), 1.0, 0.0),
    (lambda x: stats.pareto.logpdf(x, 1.5), 1.0, -2.5),
    (lambda x: stats.laplace.cdf(x), 0.0, 0.5),
    (lambda x: stats.uniform.cdf(x), 1.0, 1.0),
    (lambda x: stats.beta.logpdf(x, 2.0, 2.0), 0.0, np.inf),
]


@pytest.mark.parametrize(("f", "edge", "slope"), AT_EDGES)
def test_at_the_edges_derivatives_are_those_of_the_inside(f: Any, edge: float, slope: float):
    with np.errstate(divide="ignore"):
        assert s2sad.grad(f)(edge) == slope


REFUSED = [
    (lambda x: stats.gamma.cdf(1.0, x), "S203"),
    (lambda x: stats.beta.sf(0.5, x, 1.0), "S203"),
    (lambda x: stats.poisson.logpmf(x, 1.5), "S203"),
    (lambda x: stats.skewnorm.logpdf(x, 1.0), "S201"),
    (lambda x: stats.norm.expect(scale=x), "S201"),
    (lambda x: stats.norm.pdf(x, scale=-1.0), "S202"),
    (lambda x: stats.norm.pdf(x * 1j), "S202"),
    (lambda x: stats.norm.logpdf(x, mu=1.0), "S319"),
    (lambda x: stats.norm(mean=1.0).logpdf(x), "S319"),
    (
        lambda x: stats.multivariate_normal.logpdf(np.array([x, x]), cov=np.eye(2), allow_singular=True),
        "S202",
    ),
    (lambda x: stats.multivariate_normal.logpdf(np.array([x, x])), "S202"),
]


@pytest.mark.parametrize(("f", "code"), REFUSED)
def test_refused_with_a_location(f: Any, code: str):
    with pytest.raises(s2sad.S2sadError, match=r"test_stats\.py:\d+:\d+: " + code):
        s2sad.grad(f)(0.7)


def test_one_point_has_a_number_in_scipy():
    f = s2sad.grad(lambda x: np.sum(stats.multivariate_normal.logpdf(x, np.ones(2), np.eye(2))))
    assert f(np.ones((3, 2))).shape == (3, 2)
    with pytest.raises(ValueError, match="cannot reshape"):
        f(np.ones((1, 2)))


@pytest.mark.parametrize("f", [lambda x: NORM.logpdf(x), lambda x: FROZEN.cdf(x)])
def test_methods_of_captured_objects_are_read_once(f: Any):
    slope = s2sad.grad(f)
    slope(0.5)
    slope(0.7)
    assert sum(map(len, slope.program.variants.values())) == 1
