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


def text(f: Any) -> str:
    return inspect.getsource(f).strip().removeprefix("lambda x: ").rstrip(",")


def assert_right(f: Any, jit: bool) -> None:
    """Check value, both modes and second order of a function of X."""
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

    def total(x: Any) -> Any:
        return np.sum(f(x) * 0.5)

    second = s2sad.hvp(total, (X,), (dot,), jit=jit)
    assert_close([second], differences(s2sad.grad(total), (X,), (dot,), 1e-4), 1e-6, "second order")


@pytest.mark.parametrize("f", PROGRAMS, ids=text)
def test_value_modes_and_second_order(f: Any):
    assert_right(f, False)
