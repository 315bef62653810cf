"""Functions of scipy.special, one line each. SciPy is imported where a program calls one of them.

Derivatives are those of Abramowitz and Stegun, Handbook of Mathematical Functions (1964), chapters 5 to 9
and 26, and of Patefield and Tandy, Fast and accurate calculation of Owen's T-function (2000). Arguments
whose derivative has no closed form (`no_rule`) are refused where they vary.
"""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np

from s2sad.errors import UnsupportedOp
from s2sad.ir.builder import Sizes, result_type
from s2sad.ir.path import broadcast
from s2sad.ir.types import Array
from s2sad.ops.declare import Infer, Params, Types, elementwise, literal_value, meet, nondiff
from s2sad.ops.expr import Expr, apply, lift
from s2sad.ops.functions import absolute, cast, cos, exp, log, nonzero_denominator, power, sign, sin, where

MODULE = "scipy.special"
PREFIX = "special_"
ROOT_PI, ROOT_2PI = math.sqrt(math.pi), math.sqrt(2.0 * math.pi)
POSITIVE, UNIT, OPEN = (0.3, 3.0), (0.1, 0.9), (-0.8, 0.8)


def _evaluate(name: str) -> Any:
    def evaluate(*args: Any) -> Any:
        try:
            function = getattr(importlib.import_module(MODULE), name)
        except ImportError as error:
            raise UnsupportedOp("S290", f"{name} needs SciPy", 'pip install "s2sad[jit]"') from error
        with np.errstate(all="ignore"):
            return function(*args)

    return evaluate


def _infer(name: str) -> Infer:
    evaluate = _evaluate(name)

    def infer(types: Types, params: Params, sizes: Sizes) -> Types:
        if any(t.dtype.kind == "c" for t in types):
            why = f"{MODULE}.{name} of complex numbers is not supported"
            raise UnsupportedOp("S202", why, "call it on real numbers")
        t = result_type(evaluate, types, params)
        if not isinstance(t, Array):
            return (t,)
        return (Array(t.dtype, broadcast(meet(sizes, *(a.shape for a in types)), sizes.fresh)),)

    return infer


def _special(name: str, derivative: Any, **columns: Any) -> None:
    columns.setdefault("cost", 60)
    elementwise(PREFIX + name, _evaluate(name), derivative, f"{MODULE}.{name}", infer=_infer(name), **columns)


def special(name: str, *args: Any) -> Expr:
    """Return a call of a function of scipy.special, as a Python number if it is one of such: beside float32
    it must not count as a float64."""
    found = apply(PREFIX + name, *args)
    weak = all(getattr(a.type, "weak", False) for a in args if isinstance(a, Expr))
    return apply("to_float", found) if weak else found


def _over(x: Expr, y: Expr) -> Expr:
    """x / y, which is 0 where x is, whatever y is."""
    return x / where(x.eq(0), 1.0, y)


# --- error functions and the normal distribution ------------------------------------------------

_special("erf", lambda g, x, y: 2.0 / ROOT_PI * exp(-x * x) * g)
_special("erfc", lambda g, x, y: -2.0 / ROOT_PI * exp(-x * x) * g)
_special("erfcx", lambda g, x, y: (2.0 * x * y - 2.0 / ROOT_PI) * g)
_special("erfinv", lambda g, x, y: 0.5 * ROOT_PI * exp(y * y) * g, domain=OPEN)
_special("erfcinv", lambda g, x, y: -0.5 * ROOT_PI * exp(y * y) * g, domain=(0.2, 1.8))
_special("ndtr", lambda g, x, y: exp(-0.5 * x * x) / ROOT_2PI * g)
_special("log_ndtr", lambda g, x, y: exp(-0.5 * x * x - y) / ROOT_2PI * g)
_special("ndtri", lambda g, x, y: ROOT_2PI * exp(0.5 * y * y) * g, domain=UNIT)


def _owens_t(g: Expr, h: Expr, a: Expr, y: Expr) -> tuple[Expr, Expr]:
    wide = special("erf", a * h / math.sqrt(2.0))
    return (
        -0.5 / ROOT_2PI * exp(-0.5 * h * h) * wide * g,
        exp(-0.5 * h * h * (1.0 + a * a)) / (2.0 * math.pi * (1.0 + a * a)) * g,
    )


_special("owens_t", _owens_t, domain=((-2.0, 2.0), (-2.0, 2.0)))

# --- gamma and its relatives --------------------------------------------------------------------


def _psi(x: Expr) -> Expr:
    return special("psi", x)


def _beta(g: Expr, a: Expr, b: Expr, y: Expr) -> tuple[Expr, Expr]:
    both = _psi(a + b)
    return y * (_psi(a) - both) * g, y * (_psi(b) - both) * g


def _betaln(g: Expr, a: Expr, b: Expr, y: Expr) -> tuple[Expr, Expr]:
    both = _psi(a + b)
    return (_psi(a) - both) * g, (_psi(b) - both) * g


def _beta_density(a: Expr, b: Expr, x: Expr, y: Expr) -> Expr:
    one = special("xlogy", a - 1.0, x) + special("xlog1py", b - 1.0, -x)
    return exp(cast(one - special("betaln", a, b), y.dtype))


def _betainc(g: Expr, a: Expr, b: Expr, x: Expr, y: Expr) -> tuple[None, None, Expr]:
    return None, None, _beta_density(a, b, x, y) * g


def _betaincc(g: Expr, a: Expr, b: Expr, x: Expr, y: Expr) -> tuple[None, None, Expr]:
    return None, None, -_beta_density(a, b, x, y) * g


def _poch(g: Expr, a: Expr, m: Expr, y: Expr) -> tuple[Expr, Expr]:
    end = _psi(a + m)
    return y * (end - _psi(a)) * g, y * end * g


def _binom(g: Expr, n: Expr, k: Expr, y: Expr) -> tuple[Expr, Expr]:
    rest = _psi(n - k + 1.0)
    return y * (_psi(n + 1.0) - rest) * g, y * (rest - _psi(k + 1.0)) * g


def _t_density(df: Expr, t: Expr, y: Expr) -> Expr:
    peak = special("poch", 0.5 * df, 0.5) / (math.sqrt(math.pi) * power(df, 0.5))
    return cast(peak * power(1.0 + t * t / df, -0.5 * (df + 1.0)), y.dtype)


def _gamma_density(a: Expr, x: Expr, y: Expr) -> Expr:
    # SciPy has float64 for a number beside float32 here
    return exp(cast(special("xlogy", a - 1.0, x) - x - special("gammaln", a), y.dtype))


def _gammainc(g: Expr, a: Expr, x: Expr, y: Expr) -> tuple[None, Expr]:
    return None, _gamma_density(a, x, y) * g


def _gammaincc(g: Expr, a: Expr, x: Expr, y: Expr) -> tuple[None, Expr]:
    return None, -_gamma_density(a, x, y) * g


def _rgamma(g: Expr, x: Expr, y: Expr) -> Expr:
    """Below 1/2 by the reflection formula, for psi has poles where 1 / gamma has zeros."""
    low = x < 0.5
    at = where(low, x, 0.0)
    turn = math.pi * at
    reflected = special("gamma", 1.0 - at) * (cos(turn) - sin(turn) / math.pi * _psi(1.0 - at))
    return where(low, reflected, -y * _psi(where(low, 1.0, x))) * g


_special("gamma", lambda g, x, y: y * _psi(x) * g, domain=POSITIVE)
_special("gammaln", lambda g, x, y: _psi(x) * g, domain=POSITIVE)
_special("loggamma", lambda g, x, y: _psi(x) * g, domain=POSITIVE)
_special("rgamma", _rgamma, domain=(-3.3, 3.0))
_special("psi", lambda g, x, y: special("zeta", 2.0, x) * g, domain=POSITIVE)
_special(
    "zeta",
    lambda g, s, x, y: (None, -s * special("zeta", s + 1.0, x) * g),
    domain=((1.5, 4.0), POSITIVE),
    no_rule=(0,),
)
_special("beta", _beta, domain=(POSITIVE, POSITIVE), commutes=True)
_special("betaln", _betaln, domain=(POSITIVE, POSITIVE), commutes=True)
_special("betaincc", _betaincc, domain=(POSITIVE, POSITIVE, UNIT), no_rule=(0, 1))
_special("betainc", _betainc, domain=(POSITIVE, POSITIVE, UNIT), no_rule=(0, 1))
_special("gammainc", _gammainc, domain=(POSITIVE, POSITIVE), no_rule=(0,))
_special("gammaincc", _gammaincc, domain=(POSITIVE, POSITIVE), no_rule=(0,))
_special("poch", _poch, domain=(POSITIVE, POSITIVE))
_special("binom", _binom, domain=((2.3, 4.0), (0.3, 1.8)))
_special(
    "stdtr",
    lambda g, df, t, y: (None, _t_density(df, t, y) * g),
    domain=(POSITIVE, (-2.0, 2.0)),
    no_rule=(0,),
)
nondiff(PREFIX + "gammasgn", _evaluate("gammasgn"), f"{MODULE}.gammasgn", infer=_infer("gammasgn"))

# inverses, in their last argument
INVERSE: dict[str, Any] = {"domain": (POSITIVE, UNIT), "no_rule": (0,)}
_special("gammaincinv", lambda g, a, p, y: (None, g / _gamma_density(a, y, y)), **INVERSE)
_special("gammainccinv", lambda g, a, p, y: (None, -g / _gamma_density(a, y, y)), **INVERSE)
_special("stdtrit", lambda g, df, p, y: (None, g / _t_density(df, y, y)), **INVERSE)
TWO: dict[str, Any] = {"domain": (POSITIVE, POSITIVE, UNIT), "no_rule": (0, 1)}
_special("betaincinv", lambda g, a, b, p, y: (None, None, g / _beta_density(a, b, y, y)), **TWO)
_special("betainccinv", lambda g, a, b, p, y: (None, None, -g / _beta_density(a, b, y, y)), **TWO)

# --- logarithms and exponential integrals -------------------------------------------------------


def _exprel_near(u: Expr) -> Expr:
    """The derivative of (exp(u) - 1) / u by its series, for small u."""
    series: Expr = lift(1.0 / 403200.0)
    for n in (45360.0, 5760.0, 840.0, 144.0, 30.0, 8.0, 3.0, 2.0):
        series = 1.0 / n + u * series
    return series


def _exprel(g: Expr, x: Expr, y: Expr) -> Expr:
    return where(absolute(x) < 0.1, _exprel_near(x), (exp(x) - y) / nonzero_denominator(x)) * g


def _boxcox(g: Expr, x: Expr, k: Expr, y: Expr) -> tuple[Expr, Expr]:
    """In k by its series where k log x is small: the quotient and its derivatives cancel there."""
    ln = apply("math_log", x) if getattr(x.type, "weak", False) else log(x)
    u = k * ln
    far = (cast(special("xlogy", 1.0 + k * y, x), y.dtype) - y) / nonzero_denominator(k)
    return power(x, k - 1.0) * g, where(absolute(u) < 0.1, ln * ln * _exprel_near(u), far) * g


def _expn(g: Expr, n: Expr, x: Expr, y: Expr) -> tuple[None, Expr]:
    order = literal_value(n)
    if isinstance(order, int) and order > 0:
        return None, -special("expn", order - 1, x) * g
    return None, ((n - 1.0) * y - exp(-x)) / x * g


def _log_ratio(x: Expr, t: Expr) -> Expr:
    """log(x / t), 0 where x is 0: histograms have zeros."""
    return log(where(x.eq(0), 1.0, x / t))


def _rel_entr(g: Expr, x: Expr, t: Expr, y: Expr) -> tuple[Expr, Expr]:
    return where(x.eq(0), 0.0, _log_ratio(x, t) + 1.0) * g, -_over(x, t) * g


def _kl_div(g: Expr, x: Expr, t: Expr, y: Expr) -> tuple[Expr, Expr]:
    return _log_ratio(x, t) * g, (1.0 - _over(x, t)) * g


_special("expit", lambda g, x, y: y * (1.0 - y) * g)
_special("log_expit", lambda g, x, y: special("expit", -x) * g)
_special("logit", lambda g, x, y: g / (x * (1.0 - x)), domain=UNIT)
_special("xlogy", lambda g, x, t, y: (log(t) * g, _over(x, t) * g), domain=((-2.0, 2.0), POSITIVE))
_special(
    "xlog1py",
    lambda g, x, t, y: (apply("log1p", t) * g, _over(x, 1.0 + t) * g),
    domain=((-2.0, 2.0), OPEN),
)
_special("entr", lambda g, x, y: (-log(x) - 1.0) * g, domain=POSITIVE)
_special("rel_entr", _rel_entr, domain=(POSITIVE, POSITIVE), kinks="along x: 0 where x is 0")
_special("kl_div", _kl_div, domain=(POSITIVE, POSITIVE), kinks="along x: 0 where x is 0")
_special("boxcox", _boxcox, domain=(POSITIVE, (-2.0, 2.0)))
_special("exp1", lambda g, x, y: -exp(-x) / x * g, domain=POSITIVE)
_special("expi", lambda g, x, y: exp(x) / x * g, domain=POSITIVE)

_special("expn", _expn, domain=((1.5, 4.0), POSITIVE), no_rule=(0,))
_special("exprel", _exprel)
_special("cosm1", lambda g, x, y: -sin(x) * g)
_special("dawsn", lambda g, x, y: (1.0 - 2.0 * x * y) * g)
_special("erfi", lambda g, x, y: 2.0 / ROOT_PI * exp(x * x) * g)

# --- losses -------------------------------------------------------------------------------------


def _huber(g: Expr, delta: Expr, r: Expr, y: Expr) -> tuple[Expr, Expr]:
    beyond = absolute(r) > delta
    return where(beyond, absolute(r) - delta, 0.0) * g, where(beyond, delta * sign(r), r) * g


def _pseudo_huber(g: Expr, delta: Expr, r: Expr, y: Expr) -> tuple[Expr, Expr]:
    u = r / delta
    slope = power(1.0 + u * u, -0.5)
    return y * y / (delta * delta * delta) * slope * g, r * slope * g


_special("huber", _huber, domain=(POSITIVE, (-4.0, 4.0)), kinks="0 below 0")
_special("pseudo_huber", _pseudo_huber, domain=(POSITIVE, (-2.0, 2.0)))

# --- Bessel functions: real order, which does not vary ------------------------------------------


def _order(name: str, below: float, above: float) -> Any:
    def derivative(g: Expr, v: Expr, x: Expr, y: Expr) -> tuple[None, Expr]:
        return None, (below * special(name, v - 1.0, x) + above * special(name, v + 1.0, x)) * g

    return derivative


def _scaled_order(g: Expr, v: Expr, x: Expr, y: Expr) -> tuple[None, Expr]:
    return None, (0.5 * (special("ive", v - 1.0, x) + special("ive", v + 1.0, x)) - sign(x) * y) * g


ORDER: dict[str, Any] = {"domain": ((0.5, 3.0), POSITIVE), "no_rule": (0,)}
_special("jv", _order("jv", 0.5, -0.5), **ORDER)
_special("yv", _order("yv", 0.5, -0.5), **ORDER)
_special("iv", _order("iv", 0.5, 0.5), **ORDER)
_special("kv", _order("kv", -0.5, -0.5), **ORDER)
_special("ive", _scaled_order, **ORDER)
_special("j0", lambda g, x, y: -special("j1", x) * g)
_special("j1", lambda g, x, y: 0.5 * (special("j0", x) - special("jv", 2.0, x)) * g)
_special("y0", lambda g, x, y: -special("y1", x) * g, domain=POSITIVE)
_special("y1", lambda g, x, y: 0.5 * (special("y0", x) - special("yv", 2.0, x)) * g, domain=POSITIVE)
_special("k0", lambda g, x, y: -special("k1", x) * g, domain=POSITIVE)
_special("k1", lambda g, x, y: -0.5 * (special("k0", x) + special("kv", 2.0, x)) * g, domain=POSITIVE)
_special("i0", lambda g, x, y: special("i1", x) * g)
elementwise("i0", np.i0, lambda g, x, y: special("i1", x) * g, "np.i0", cost=60)
_special("i1", lambda g, x, y: 0.5 * (special("i0", x) + special("iv", 2.0, x)) * g)
_special("i0e", lambda g, x, y: (special("i1e", x) - sign(x) * y) * g, kinks="0 at 0")
_special("i1e", lambda g, x, y: (0.5 * (special("i0e", x) + special("ive", 2.0, x)) - sign(x) * y) * g)

# --- orthogonal polynomials: of an order that does not vary -------------------------------------


def _gegenbauer(g: Expr, n: Expr, a: Expr, x: Expr, y: Expr) -> tuple[None, None, Expr]:
    return None, None, 2.0 * a * special("eval_gegenbauer", n - 1, a + 1.0, x) * g


def _genlaguerre(g: Expr, n: Expr, a: Expr, x: Expr, y: Expr) -> tuple[None, None, Expr]:
    return None, None, -special("eval_genlaguerre", n - 1, a + 1.0, x) * g


def _legendre(g: Expr, n: Expr, x: Expr, y: Expr) -> tuple[None, Expr]:
    return None, special("eval_gegenbauer", n - 1, 1.5, x) * g


def _chebyu(g: Expr, n: Expr, x: Expr, y: Expr) -> tuple[None, Expr]:
    return None, 2.0 * special("eval_gegenbauer", n - 1, 2.0, x) * g


def _laguerre(g: Expr, n: Expr, x: Expr, y: Expr) -> tuple[None, Expr]:
    return None, -special("eval_genlaguerre", n - 1, 1.0, x) * g


POLYNOMIAL: dict[str, Any] = {"domain": ((1.5, 4.0), OPEN), "no_rule": (0,)}
PARAMETER: dict[str, Any] = {"domain": ((1.5, 4.0), POSITIVE, OPEN), "no_rule": (0, 1)}
_special("eval_legendre", _legendre, **POLYNOMIAL)
_special("eval_chebyt", lambda g, n, x, y: (None, n * special("eval_chebyu", n - 1, x) * g), **POLYNOMIAL)
_special("eval_chebyu", _chebyu, **POLYNOMIAL)
_special("eval_laguerre", _laguerre, **POLYNOMIAL)
_special("eval_gegenbauer", _gegenbauer, **PARAMETER)
_special("eval_genlaguerre", _genlaguerre, **PARAMETER)
