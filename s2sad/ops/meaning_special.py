"""What calls of scipy.special mean. SciPy is looked at once the program has imported it."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from s2sad.ops.call import FUNCTIONS, Call, as_rank0, expr, make_call, only, some_axes, strong, unsupported
from s2sad.ops.declare import literal_value
from s2sad.ops.expr import Expr, apply, lift
from s2sad.ops.functions import cast, either, exp, expand, log, nonzero_denominator, total, where
from s2sad.ops.meaning_elementwise import elementwise_call, ufunc
from s2sad.ops.special import MODULE, PREFIX, special
from s2sad.ops.table import OPS

ALIASES = {"digamma": "psi", "jn": "jv"}
OF_NUMPY = ("log1p", "expm1", "cbrt", "exp2")  # which scipy.special has as well


def _largest(x: Expr, axis: tuple[int, ...] | None, **params: Any) -> Expr:
    """The largest elements, constants of the derivative."""
    return apply("stop_gradient", apply("max", x, axis=axis, keepdims=False, **params))


def _finite(m: Expr) -> Expr:
    return where(apply("isfinite", m), m, 0.0)


def _kept(y: Expr, x: Expr, axis: tuple[int, ...] | None) -> Expr:
    """A reduction of x with its axes put back, where they matter for broadcasting."""
    return y if axis is None or len(axis) == x.ndim else expand(y, *axis)


def _of_floats(x: Any) -> Expr:
    e = strong(expr(x))
    if e.dtype.kind in "iub":
        e = cast(e, np.dtype(np.float64))
    if e.dtype.kind != "f":
        raise unsupported(f"{e.dtype} numbers are not supported here", "pass floats")
    return e


def logsumexp(
    a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False
) -> Expr:
    """Return scipy.special.logsumexp(a)."""
    only("return_sign", return_sign, False)
    x = _of_floats(a)
    axes = some_axes(axis, x.ndim)
    if b is None:
        m = _finite(_largest(x, axes) if axes is None else _largest(x, axes, initial=-math.inf))
        sums = total(exp(x - _kept(m, x, axes)), axes)
    else:
        weights = expr(b)
        m = _finite(_largest(where(weights.eq(0), -math.inf, x), axes))
        # what has weight 0 may be larger than m, and its weight may vary
        parts = exp(apply("minimum", x - _kept(m, x, axes), 700.0 if x.dtype == np.float64 else 80.0))
        sums = total(weights * parts, axes)
    y = where(sums.eq(0), -math.inf, log(nonzero_denominator(sums))) + m  # no nan where all is -inf
    return expand(as_rank0(y), *(range(x.ndim) if axes is None else axes)) if keepdims else y


def softmax(x: Any, axis: Any = None) -> Expr:
    """Return scipy.special.softmax(x)."""
    a = _of_floats(x)
    axes = some_axes(axis, a.ndim)
    parts = exp(a - _kept(_largest(a, axes), a, axes))
    return parts / _kept(total(parts, axes), a, axes)


def log_softmax(x: Any, axis: Any = None) -> Expr:
    """Return scipy.special.log_softmax(x)."""
    a = _of_floats(x)
    axes = some_axes(axis, a.ndim)
    shifted = a - _kept(_finite(_largest(a, axes)), a, axes)
    return shifted - _kept(log(total(exp(shifted), axes)), a, axes)


def polygamma(n: Any, x: Any) -> Expr:
    """Return scipy.special.polygamma(n, x) of an order that is written as a number."""
    order = literal_value(lift(n))
    if not isinstance(order, int) or order < 0:
        raise unsupported("the order of polygamma must be a number of the text, not negative", "write it out")
    if order == 0:
        return as_rank0(cast(elementwise_call(PREFIX + "psi", expr(x)), np.dtype(np.float64)))
    factor = (-1.0) ** (order + 1) * math.gamma(order + 1.0)
    return as_rank0(factor * special("zeta", order + 1.0, cast(expr(x), np.dtype(np.float64))))


def yn(n: Any, x: Any, out: Any = None) -> Expr:
    """Return scipy.special.yn(n, x) of an int order: others SciPy truncates."""
    order, at = expr(n), expr(x)
    if order.dtype.kind not in "iu":
        raise unsupported("the order of yn must be an int", "call yv for other orders")
    float64 = np.dtype(np.float64)
    return strong(special("yv", cast(order, float64), cast(at, float64)))


def multigammaln(a: Any, d: Any) -> Expr:
    """Return scipy.special.multigammaln(a, d) of a dimension that is written as a number."""
    n, x = literal_value(lift(d)), cast(expr(a), np.dtype(np.float64))
    if not isinstance(n, int) or n < 1:
        raise unsupported("the dimension of multigammaln must be a number of the text", "write it out")
    found = special("gammaln", x)
    for j in range(1, n):
        found = found + special("gammaln", x - 0.5 * j)
    return found + n * (n - 1) * 0.25 * math.log(math.pi)


def zeta(x: Any, q: Any = None, out: Any = None) -> Expr:
    """Return scipy.special.zeta(x, q)."""
    return strong(special("zeta", expr(x), expr(1.0 if q is None else q)))


def softplus(x: Any) -> Expr:
    """Return scipy.special.softplus(x)."""
    return elementwise_call("logaddexp", expr(0.0), expr(x))


def _whole(name: str, *xs: Any) -> tuple[int, ...]:
    """The ints of an exact count, which have to be numbers of the text."""
    found = tuple(literal_value(lift(x)) for x in xs)
    if not all(isinstance(n, int) for n in found):
        raise unsupported(f"{name}(exact=True) takes ints written as numbers", "leave out exact=")
    return found


def comb(N: Any, k: Any, *, exact: bool = False, repetition: bool = False) -> Any:
    """Return scipy.special.comb(N, k)."""
    only("repetition", repetition, False)
    if exact:
        n, m = _whole("comb", N, k)
        return math.comb(n, m) if 0 <= m <= n else 0
    return _counted("binom", expr(N), expr(k))


def perm(N: Any, k: Any, exact: bool = False) -> Any:
    """Return scipy.special.perm(N, k)."""
    if exact:
        n, m = _whole("perm", N, k)
        return math.perm(n, m) if 0 <= m <= n else 0
    return _counted("poch", expr(N), expr(k))


def _counted(name: str, n: Expr, k: Expr) -> Expr:
    """A number of choices, 0 where there are none."""
    none = either(either(k > n, n < 0), k < 0)
    n, k = strong(n), strong(k)
    y = where(none, 0.0, special(name, n - k + 1 if name == "poch" else n, k))
    return apply("item0", y) if y.is_array and not y.ndim else y


def factorial(n: Any, exact: bool = False, extend: str = "zero") -> Any:
    """Return scipy.special.factorial(n), 0 for negative numbers."""
    only("extend", extend, "zero")
    if exact:
        (k,) = _whole("factorial", n)
        return math.factorial(k) if k >= 0 else 0
    x = strong(expr(n))
    below = x < 0
    y = where(below, 0.0, special("gamma", where(below, 0, x) + 1))
    return as_rank0(cast(y, np.dtype(np.float64))) if x.is_array else y


def eval_hermite(n: Any, x: Any) -> Expr:
    """Return scipy.special.eval_hermite(n, x) of an order that is written as a number, by Laguerre's
    polynomials of x * x (Abramowitz and Stegun 1964, 22.5.40 and 41)."""
    order = literal_value(lift(n))
    if not isinstance(order, int) or order < 0:
        raise unsupported("the order must be a number of the text, not negative", "write it out")
    half, odd = divmod(order, 2)
    z = strong(expr(x))
    factor = (-1.0) ** half * 2.0**order * math.factorial(half)
    y = special("eval_genlaguerre", half, odd - 0.5, z * z) * factor
    return y * z if odd else y


def eval_hermitenorm(n: Any, x: Any) -> Expr:
    """Return scipy.special.eval_hermitenorm(n, x) of an order that is written as a number."""
    y = eval_hermite(n, strong(expr(x)) / math.sqrt(2.0))
    factor: float = 2.0 ** (-0.5 * literal_value(lift(n)))
    return y * factor


RECIPES: tuple[Callable[..., Any], ...] = (
    logsumexp,
    softmax,
    log_softmax,
    polygamma,
    yn,
    multigammaln,
    zeta,
    softplus,
    comb,
    perm,
    factorial,
    eval_hermite,
    eval_hermitenorm,
)
STATIC = "return_sign exact repetition extend"


def special_functions() -> dict[Any, Call]:
    """Return the calls by function, none if SciPy's special functions are not in use."""
    module = sys.modules.get(MODULE)
    if module is None:
        return {}
    if module not in _FOUND:
        _FOUND[module] = dict(_calls(module))
    return _FOUND[module]


_FOUND: dict[Any, dict[Any, Call]] = {}


def _calls(module: Any) -> Any:
    names = {name.removeprefix(PREFIX): name for name in OPS if name.startswith(PREFIX)}
    for name, op in names.items():
        if name != "zeta" and hasattr(module, name):  # no ufunc; or not in this version
            yield getattr(module, name), ufunc(getattr(module, name), op)
    for alias, name in ALIASES.items():
        yield getattr(module, alias), ufunc(getattr(module, name), names[name])
    for name in OF_NUMPY:
        yield getattr(module, name), FUNCTIONS[getattr(np, name)]
    for recipe in RECIPES:
        if hasattr(module, recipe.__name__):
            yield getattr(module, recipe.__name__), make_call(recipe.__name__, recipe, STATIC)
