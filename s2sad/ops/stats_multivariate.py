"""Distributions of scipy.stats over vectors: the multivariate normal and Dirichlet's.

The normal is whitened by Cholesky's factor of the covariance, of which the lower triangle is read (Kotz,
Balakrishnan and Johnson, Continuous Multivariate Distributions, 2000, chapters 45 and 49).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from s2sad.ops.call import checked_sizes, expr, only, strong, unsupported
from s2sad.ops.expr import Expr, apply, lift
from s2sad.ops.functions import (
    absolute,
    cast,
    concatenate,
    exp,
    expand,
    log,
    reshape,
    size,
    swap,
    take_at,
    total,
    where,
)
from s2sad.ops.special import special

FLOAT = np.dtype(np.float64)
LOG_2PI = math.log(2.0 * math.pi)


def _floats(x: Any) -> Expr:
    e = strong(expr(x))
    if e.dtype.kind not in "fiub":
        raise unsupported(f"scipy.stats takes real numbers, not {e.dtype}", "take the real part first")
    return cast(e, FLOAT)


def _points(x: Expr, axis: int) -> Expr:
    """Points along an axis of a matrix. SciPy has a number for one of them, which is a vector of length 1
    here: it raises."""
    if x.ndim < 2 or x.dims[axis].is_const:
        return take_at(x, axis, 0) if x.ndim == 2 and x.dims[axis].is_one else x
    n = size(x, axis)
    return reshape(x, *(where(n.eq(1), 2, n) if k == axis else size(x, k) for k in range(2)))


def normal_logpdf(x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Expr:
    """Return scipy.stats.multivariate_normal.logpdf(x, mean, cov)."""
    only("allow_singular", allow_singular, False)
    points, spread = _points(_floats(x), 0), _floats(cov)
    center = None if mean is None else _floats(mean)
    if points.ndim not in (1, 2) or spread.ndim > 2 or (center is not None and center.ndim != 1):
        why = "multivariate_normal takes points as rows, a vector as mean and a matrix as cov"
        raise unsupported(why, "reshape what is passed")
    if points.dims[-1].is_one or (center is not None and center.dims[0].is_one):
        raise unsupported("multivariate_normal of one dimension is not supported", "use scipy.stats.norm")
    if center is None and spread.ndim < 2:
        raise unsupported("multivariate_normal needs a mean or a matrix", "use scipy.stats.norm")
    if center is not None:
        n = size(spread, 0) if spread.ndim else size(points, points.ndim - 1)
        points = points - checked_sizes(center, {0: n}, "the sizes of x, mean and cov differ")
    last = points.ndim - 1
    if spread.ndim < 2:
        logdet = total(log(spread)) if spread.ndim else size(points, last) * log(spread)
        distance = total(points * points / spread, last)
    else:
        factor = apply("cholesky", spread)
        logdet = 2.0 * total(log(apply("diagonal", factor)))
        white = apply("solve", factor, swap(points) if last else points)
        distance = total(white * white, 0)
    return -0.5 * (size(points, last) * LOG_2PI + logdet + distance)


def normal_pdf(x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Expr:
    """Return scipy.stats.multivariate_normal.pdf(x, mean, cov)."""
    return exp(normal_logpdf(x, mean, cov, allow_singular))


def dirichlet_logpdf(x: Any, alpha: Any) -> Expr:
    """Return scipy.stats.dirichlet.logpdf(x, alpha); nan where SciPy raises because of values."""
    points, a = _points(_floats(x), 1), _floats(alpha)
    if points.ndim not in (1, 2) or a.ndim != 1:
        raise unsupported("dirichlet takes a vector alpha, and x as a vector or the columns of a matrix")
    here, there = points.dims[0], a.dims[0]
    if here.is_const and there.is_const and here.const + 1 == there.const:
        rest = 1.0 - total(points, 0)
        row = expand(rest, 0) if rest.ndim else apply("stack", rest, axis=0)
        points = concatenate((points, row), 0)
    points = checked_sizes(points, {0: size(a, 0)}, "x must have the size of alpha, or one less")
    shape = expand(a, 1) if points.ndim == 2 else a
    norm = total(special("gammaln", a)) - special("gammaln", total(a))
    y = total(special("xlogy", shape - 1.0, points), 0) - norm
    inside = apply("bitwise_and", points >= 0, apply("bitwise_or", points > 0, shape >= 1.0))
    valid = apply("all", inside, axis=(0,), keepdims=False)
    valid = apply("bitwise_and", valid, absolute(total(points, 0) - 1.0) <= 1e-9)
    positive = apply("all", a > 0, axis=None, keepdims=False)
    return where(apply("bitwise_and", valid, positive), y, lift(math.nan))


def dirichlet_pdf(x: Any, alpha: Any) -> Expr:
    """Return scipy.stats.dirichlet.pdf(x, alpha)."""
    return exp(dirichlet_logpdf(x, alpha))


def normal_cdf(
    x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False, maxpts: Any = None,
    abseps: Any = 1e-5, releps: Any = 1e-5, *, lower_limit: Any = None, rng: Any = None,
) -> Expr:  # fmt: skip
    """Refuse scipy.stats.multivariate_normal.cdf and logcdf."""
    raise unsupported(
        "the distribution function of the multivariate normal has no closed form: SciPy integrates by random "
        "points, to five digits",
        "of independent components it is the product of scipy.stats.norm.cdf of each",
    )


MULTIVARIATE: dict[tuple[str, str], Callable[..., Expr]] = {
    ("multivariate_normal", "logpdf"): normal_logpdf,
    ("multivariate_normal", "pdf"): normal_pdf,
    ("multivariate_normal", "cdf"): normal_cdf,
    ("multivariate_normal", "logcdf"): normal_cdf,
    ("dirichlet", "logpdf"): dirichlet_logpdf,
    ("dirichlet", "pdf"): dirichlet_pdf,
}
