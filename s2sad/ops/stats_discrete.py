"""Discrete distributions of scipy.stats with loc 0.

Formulas are those of Johnson, Kemp and Kotz, Univariate Discrete Distributions (2005). `k` is a whole
number inside the support where a formula is evaluated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from s2sad.ops.declare import elementwise
from s2sad.ops.expr import Expr, apply
from s2sad.ops.functions import both, exp, isnan, log, power, where
from s2sad.ops.special import special
from s2sad.record import dataclass

Formula = Callable[..., Any]
INTEGRAL = "integral"

# the number of a count: where it varies there is no derivative to speak of
elementwise(
    INTEGRAL,
    np.floor,
    lambda g, x, y: (None,),
    "np.floor",
    no_rule=(0,),
    doc="a count, which must not vary",
)


def integral(k: Expr) -> Expr:
    """Return a count, which must not vary where it is a float."""
    return apply(INTEGRAL, k) if k.dtype.kind == "f" else k


def is_whole(k: Expr) -> Expr | None:
    """Return whether k is a whole number; None for ints, which are."""
    return k.eq(apply("floor", k)) if k.dtype.kind == "f" else None


@dataclass(frozen=True, slots=True)
class Discrete:
    """A distribution: functions of k and its shapes. `valid` gives the conditions on the shapes (None: no
    need to ask), `high` the upper end of the support for given shapes."""

    logpmf: Formula
    cdf: Formula
    sf: Formula
    valid: Formula
    shapes: tuple[str, ...]
    pmf: Formula | None = None
    logcdf: Formula | None = None
    logsf: Formula | None = None
    low: int = 0
    high: Formula | None = None

    def formula(self, name: str) -> Formula | None:
        """Return the formula of a method."""
        found: Formula | None = getattr(self, name, None)
        if found is not None or name not in ("pmf", "logcdf", "logsf"):
            return found
        if name == "pmf":
            return lambda *args: exp(self.logpmf(*args))
        plain: Formula = getattr(self, name.removeprefix("log"))
        return lambda *args: log(plain(*args))


def _gammaln(x: Expr) -> Expr:
    return special("gammaln", x)


def _is_probability(p: Expr) -> Expr:
    return both(p >= 0, p <= 1)


def _of_number(k: Expr, y: Expr) -> Expr:
    """y, which does not depend on k unless that is nan."""
    return where(isnan(k), math.nan, y) if k.dtype.kind == "f" else y


POISSON = Discrete(
    logpmf=lambda k, mu: special("xlogy", k, mu) - _gammaln(k + 1) - mu,
    cdf=lambda k, mu: special("gammaincc", k + 1, mu),
    sf=lambda k, mu: special("gammainc", k + 1, mu),
    valid=lambda mu: (mu >= 0,),
    shapes=("mu",),
)


def _binom_logpmf(k: Expr, n: Expr, p: Expr) -> Expr:
    n = integral(n)
    choose = _gammaln(n + 1) - _gammaln(k + 1) - _gammaln(n - k + 1)
    return choose + special("xlogy", k, p) + special("xlog1py", n - k, -p)


BINOM = Discrete(
    logpmf=_binom_logpmf,
    cdf=lambda k, n, p: special("betainc", integral(n) - k, k + 1, 1.0 - p),
    sf=lambda k, n, p: special("betainc", k + 1, integral(n) - k, p),
    valid=lambda n, p: (n >= 0, is_whole(n), _is_probability(p)),
    shapes=("n", "p"),
    high=lambda n, p: n,
)

BERNOULLI = Discrete(
    pmf=lambda k, p: k * p + (1 - k) * (1.0 - p),
    logpmf=lambda k, p: special("xlogy", k, p) + special("xlog1py", 1 - k, -p),
    cdf=lambda k, p: _of_number(k, 1.0 - p),
    sf=lambda k, p: _of_number(k, p),
    valid=lambda p: (_is_probability(p),),
    shapes=("p",),
    high=lambda p: 1,
)

GEOM = Discrete(
    pmf=lambda k, p: power(1.0 - p, k - 1) * p,
    logpmf=lambda k, p: special("xlog1py", k - 1, -p) + log(p),
    cdf=lambda k, p: -apply("expm1", k * apply("log1p", -p)),
    sf=lambda k, p: exp(k * apply("log1p", -p)),
    logsf=lambda k, p: k * apply("log1p", -p),
    valid=lambda p: (p > 0, p <= 1),
    shapes=("p",),
    low=1,
)

NBINOM = Discrete(
    logpmf=lambda k, n, p: (
        _gammaln(n + k) - _gammaln(k + 1) - _gammaln(n) + n * log(p) + special("xlog1py", k, -p)
    ),
    cdf=lambda k, n, p: special("betainc", n, k + 1, p),
    sf=lambda k, n, p: special("betainc", k + 1, n, 1.0 - p),
    valid=lambda n, p: (n > 0, p > 0, p <= 1),
    shapes=("n", "p"),
)

DISCRETE = {"bernoulli": BERNOULLI, "binom": BINOM, "geom": GEOM, "nbinom": NBINOM, "poisson": POISSON}
