"""Continuous distributions of scipy.stats in their standard form: loc 0, scale 1.

Formulas are those of Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions (1994, 1995).
`z` is inside the support where a formula is evaluated, and quantiles `q` are probabilities.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from s2sad.ops.declare import literal_value
from s2sad.ops.expr import Expr, apply
from s2sad.ops.functions import absolute, exp, isnan, log, power, where
from s2sad.ops.special import special
from s2sad.record import dataclass

Formula = Callable[..., Any]
ROOT_2PI = math.sqrt(2.0 * math.pi)
LOG_ROOT_2PI = 0.5 * math.log(2.0 * math.pi)


def _square(z: Expr) -> Expr:
    return apply("square", z)


@dataclass(frozen=True, slots=True)
class Continuous:
    """A distribution: functions of z and its shapes, which are positive. The support is closed, or open
    below (`open`); `inside` is a number inside, not at an end. `natural`: for a scale that is not
    positive the logarithm of the density is nan by itself; `natural_ppf`: and so is the quantile of
    what is no probability."""

    logpdf: Formula
    cdf: Formula
    sf: Formula
    pdf: Formula | None = None
    logcdf: Formula | None = None
    logsf: Formula | None = None
    ppf: Formula | None = None
    isf: Formula | None = None
    shapes: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    open: bool = False
    inside: float = 1.0
    natural: bool = False
    natural_ppf: bool = False

    def formula(self, name: str) -> Formula | None:
        """Return the formula of a method, None if there is none."""
        found: Formula | None = getattr(self, name)
        if found is not None or name in ("ppf", "isf"):
            return found
        if name == "pdf":
            return lambda *args: exp(self.logpdf(*args))
        plain: Formula = getattr(self, name.removeprefix("log"))
        return lambda *args: log(plain(*args))


def _expm1(x: Expr) -> Expr:
    return apply("expm1", x)


def _log1p(x: Expr) -> Expr:
    return apply("log1p", x)


def _is_normal(df: Expr) -> bool:
    return bool(literal_value(df) == math.inf)


# --- on the whole line --------------------------------------------------------------------------

NORM = Continuous(
    pdf=lambda z: exp(-0.5 * _square(z)) / ROOT_2PI,
    logpdf=lambda z: -0.5 * _square(z) - LOG_ROOT_2PI,
    cdf=lambda z: special("ndtr", z),
    sf=lambda z: special("ndtr", -z),
    logcdf=lambda z: special("log_ndtr", z),
    logsf=lambda z: special("log_ndtr", -z),
    ppf=lambda q: special("ndtri", q),
    isf=lambda q: -special("ndtri", q),
    natural=True,
    natural_ppf=True,
)


def _t_logpdf(z: Expr, df: Expr) -> Any:
    if _is_normal(df):
        return NORM.logpdf(z)
    peak = log(special("poch", 0.5 * df, 0.5)) - 0.5 * log(math.pi * df)
    return peak - 0.5 * (df + 1.0) * _log1p(z * z / df)


def _t_ppf(q: Expr, df: Expr) -> Expr:
    return where(q.eq(0), -math.inf, special("stdtrit", df, q))  # which has the other sign there


T = Continuous(
    logpdf=_t_logpdf,
    cdf=lambda z, df: special("stdtr", df, z),
    sf=lambda z, df: special("stdtr", df, -z),
    ppf=_t_ppf,
    isf=lambda q, df: -_t_ppf(q, df),
    shapes=("df",),
    natural=True,
)


def _cauchy_ppf(q: Expr) -> Expr:
    """By the smaller tail: infinite at both ends."""
    high = q > 0.5
    tail = 1.0 / apply("tan", math.pi * where(high, 1.0 - q, q))
    return where(high, tail, -tail)


CAUCHY = Continuous(
    pdf=lambda z: 1.0 / math.pi / (1.0 + z * z),
    logpdf=lambda z: -math.log(math.pi) - 2.0 * log(apply("hypot", 1.0, z)),  # z * z may overflow
    cdf=lambda z: apply("arctan2", 1.0, -z) / math.pi,
    sf=lambda z: apply("arctan2", 1.0, z) / math.pi,
    ppf=_cauchy_ppf,
    isf=lambda q: -_cauchy_ppf(q),
    natural=True,
)


def _laplace_cdf(z: Expr) -> Expr:
    above = z > 0
    tail = 0.5 * exp(where(above, -z, z))
    return where(above, 1.0 - tail, tail)


def _laplace_logcdf(z: Expr) -> Expr:
    above = z > 0
    down = where(above, -z, z)
    return where(above, _log1p(-0.5 * exp(down)), down - math.log(2.0))


def _laplace_ppf(q: Expr) -> Expr:
    high = q > 0.5
    tail = log(2.0 * where(high, 1.0 - q, q))
    return where(high, -tail, tail)


LAPLACE = Continuous(
    pdf=lambda z: 0.5 * exp(-absolute(z)),
    logpdf=lambda z: -absolute(z) - math.log(2.0),
    cdf=_laplace_cdf,
    sf=lambda z: _laplace_cdf(-z),
    logcdf=_laplace_logcdf,
    logsf=lambda z: _laplace_logcdf(-z),
    ppf=_laplace_ppf,
    isf=lambda q: -_laplace_ppf(q),
    natural=True,
    natural_ppf=True,
)

LOGISTIC = Continuous(
    pdf=lambda z: special("expit", z) * special("expit", -z),
    logpdf=lambda z: special("log_expit", z) + special("log_expit", -z),
    cdf=lambda z: special("expit", z),
    sf=lambda z: special("expit", -z),
    logcdf=lambda z: special("log_expit", z),
    logsf=lambda z: special("log_expit", -z),
    ppf=lambda q: special("logit", q),
    isf=lambda q: -special("logit", q),
    natural=True,
    natural_ppf=True,
)

# --- above a bound ------------------------------------------------------------------------------


def _gamma_logpdf(z: Expr, a: Expr) -> Expr:
    return special("xlogy", a - 1.0, z) - z - special("gammaln", a)


GAMMA = Continuous(
    logpdf=_gamma_logpdf,
    cdf=lambda z, a: special("gammainc", a, z),
    sf=lambda z, a: special("gammaincc", a, z),
    ppf=lambda q, a: special("gammaincinv", a, q),
    isf=lambda q, a: special("gammainccinv", a, q),
    shapes=("a",),
    low=0.0,
)

CHI2 = Continuous(
    logpdf=lambda z, df: _gamma_logpdf(0.5 * z, 0.5 * df) - math.log(2.0),
    cdf=lambda z, df: special("gammainc", 0.5 * df, 0.5 * z),
    sf=lambda z, df: special("gammaincc", 0.5 * df, 0.5 * z),
    ppf=lambda q, df: 2.0 * special("gammaincinv", 0.5 * df, q),
    isf=lambda q, df: 2.0 * special("gammainccinv", 0.5 * df, q),
    shapes=("df",),
    low=0.0,
)

EXPON = Continuous(
    pdf=lambda z: exp(-z),
    logpdf=lambda z: -z,
    cdf=lambda z: -_expm1(-z),
    sf=lambda z: exp(-z),
    logsf=lambda z: -z,
    ppf=lambda q: -_log1p(-q),
    isf=lambda q: -log(q),
    low=0.0,
)

LOGNORM = Continuous(
    logpdf=lambda z, s: -0.5 * power(log(z) / s, 2) - log(z) - log(s) - LOG_ROOT_2PI,
    cdf=lambda z, s: special("ndtr", log(z) / s),
    sf=lambda z, s: special("ndtr", -log(z) / s),
    logcdf=lambda z, s: special("log_ndtr", log(z) / s),
    logsf=lambda z, s: special("log_ndtr", -log(z) / s),
    ppf=lambda q, s: exp(s * special("ndtri", q)),
    isf=lambda q, s: exp(-s * special("ndtri", q)),
    shapes=("s",),
    low=0.0,
    open=True,
    natural_ppf=True,
)

WEIBULL_MIN = Continuous(
    pdf=lambda z, c: c * power(z, c - 1.0) * exp(-power(z, c)),
    logpdf=lambda z, c: log(c) + special("xlogy", c - 1.0, z) - power(z, c),
    cdf=lambda z, c: -_expm1(-power(z, c)),
    sf=lambda z, c: exp(-power(z, c)),
    logsf=lambda z, c: -power(z, c),
    ppf=lambda q, c: power(-_log1p(-q), 1.0 / c),
    isf=lambda q, c: power(-log(q), 1.0 / c),
    shapes=("c",),
    low=0.0,
)

PARETO = Continuous(
    pdf=lambda z, b: b * power(z, -b - 1.0),
    logpdf=lambda z, b: log(b) - (b + 1.0) * log(z),
    cdf=lambda z, b: -_expm1(-b * log(z)),
    sf=lambda z, b: power(z, -b),
    logsf=lambda z, b: -b * log(z),
    ppf=lambda q, b: power(1.0 - q, -1.0 / b),
    isf=lambda q, b: power(q, -1.0 / b),
    shapes=("b",),
    low=1.0,
    inside=2.0,
)

HALFNORM = Continuous(
    pdf=lambda z: 2.0 / ROOT_2PI * exp(-0.5 * _square(z)),
    logpdf=lambda z: math.log(2.0) - LOG_ROOT_2PI - 0.5 * _square(z),
    cdf=lambda z: special("erf", z / math.sqrt(2.0)),
    sf=lambda z: 2.0 * special("ndtr", -z),
    logsf=lambda z: math.log(2.0) + special("log_ndtr", -z),
    ppf=lambda q: special("ndtri", 0.5 * (1.0 + q)),
    isf=lambda q: -special("ndtri", 0.5 * q),
    low=0.0,
)

# --- between bounds -----------------------------------------------------------------------------

BETA = Continuous(
    logpdf=lambda z, a, b: (
        special("xlogy", a - 1.0, z) + special("xlog1py", b - 1.0, -z) - special("betaln", a, b)
    ),
    cdf=lambda z, a, b: special("betainc", a, b, z),
    sf=lambda z, a, b: special("betaincc", a, b, z),
    ppf=lambda q, a, b: special("betaincinv", a, b, q),
    isf=lambda q, a, b: special("betainccinv", a, b, q),
    shapes=("a", "b"),
    low=0.0,
    high=1.0,
    inside=0.5,
)

UNIFORM = Continuous(
    pdf=lambda z: where(isnan(z), math.nan, 1.0),
    logpdf=lambda z: where(isnan(z), math.nan, 0.0),
    cdf=lambda z: z,
    sf=lambda z: 1.0 - z,
    ppf=lambda q: q,
    isf=lambda q: 1.0 - q,
    low=0.0,
    high=1.0,
    inside=0.5,
)

CONTINUOUS = {
    "beta": BETA, "cauchy": CAUCHY, "chi2": CHI2, "expon": EXPON, "gamma": GAMMA, "halfnorm": HALFNORM,
    "laplace": LAPLACE, "logistic": LOGISTIC, "lognorm": LOGNORM, "norm": NORM, "pareto": PARETO, "t": T,
    "uniform": UNIFORM, "weibull_min": WEIBULL_MIN,
}  # fmt: skip
