"""What calls of the methods of scipy.stats' distributions mean: `norm.logpdf(x, loc, scale)` and others.

Outside the support the value is a constant and every derivative 0; where a parameter is out of its range the
value is nan, as SciPy's. At an end of the support where a density is 0 and its logarithm infinite, the
derivative of the density is nan. SciPy is looked at once the program has imported it.
"""

from __future__ import annotations

import functools
import inspect
import math
import sys
from collections.abc import Callable, Iterator
from functools import reduce
from typing import Any

import numpy as np

from s2sad.ops.call import Call, expr, make_call, strong, unsupported
from s2sad.ops.declare import literal_value
from s2sad.ops.expr import Apply, Expr, apply, lift
from s2sad.ops.functions import both, cast, either, log, where
from s2sad.ops.stats_continuous import CONTINUOUS, Continuous
from s2sad.ops.stats_discrete import DISCRETE, Discrete, integral
from s2sad.ops.stats_multivariate import MULTIVARIATE

MODULE = "scipy.stats"
FLOAT = np.dtype(np.float64)
OUTSIDE = {"pdf": 0.0, "pmf": 0.0, "logpdf": -math.inf, "logpmf": -math.inf}
BELOW = {"cdf": 0.0, "logcdf": -math.inf, "sf": 1.0, "logsf": 0.0}
ABOVE = {"cdf": 1.0, "logcdf": 0.0, "sf": 0.0, "logsf": -math.inf}
FROZEN = ("rv_continuous_frozen", "rv_discrete_frozen")
QUANTILES = ("ppf", "isf")


def known(e: Expr) -> Any:
    """Return the value of an expression of numbers of the text, None for others."""
    if not isinstance(e, Apply) or e.is_array:
        return literal_value(e)
    values = [known(a) for a in e.args]
    return None if None in values else e.op.evaluate(*values, **e.params)


def checked(name: str, y: Expr, *conditions: Expr | None) -> Expr:
    """Return y, which is nan where a condition on the parameters does not hold."""
    asked = []
    for c in conditions:
        holds = None if c is None else known(c)
        if holds is not None and not holds:
            raise unsupported(f"a parameter of {name} is out of its range", "give a valid one")
        if c is not None and holds is None:
            asked.append(c)
    return where(reduce(both, asked), y, math.nan) if asked else y


def _real(x: Any) -> Expr:
    e = expr(x)
    if e.dtype.kind not in "fiub":
        raise unsupported(f"scipy.stats takes real numbers, not {e.dtype}", "take the real part first")
    return e


def _float(x: Any) -> Expr:
    e = _real(x)
    value = literal_value(e)
    if value is not None:
        return lift(float(value))
    return e if e.dtype.kind == "f" else cast(e, FLOAT)


def _result(y: Any) -> Expr:
    """The result as SciPy has it: float64, a number where it is of rank 0."""
    e = strong(cast(lift(y), FLOAT))
    return apply("item0", e) if e.is_array and not e.ndim else e


def _is(e: Expr, value: float) -> bool:
    return bool(literal_value(e) == value)


def _moved(x: Expr, loc: Expr, scale: Expr) -> Expr:
    """(x - loc) / scale in the dtype in which NumPy computes it of arrays, as float64."""
    z = cast(x, np.result_type(x.dtype, loc.dtype, scale.dtype))
    z = z if _is(loc, 0.0) else z - loc
    return cast(z if _is(scale, 1.0) else z / scale, FLOAT)


def _any(conditions: list[Expr]) -> Expr | None:
    return reduce(either, conditions) if conditions else None


# --- continuous ---------------------------------------------------------------------------------


def _continuous(label: str, d: Continuous, method: str, formula: Callable[..., Any]) -> Callable[..., Expr]:
    def expand(x: Any, *parameters: Any) -> Expr:
        shapes = [_float(s) for s in parameters[:-2]]
        loc, scale = map(_real, parameters[-2:])
        point = strong(_real(x))
        valid = [s > 0 for s in shapes] + ([] if d.natural and method == "logpdf" else [scale > 0])
        if method in QUANTILES:
            if not d.natural_ppf:
                valid += [point >= 0, point <= 1]
            q = cast(point, np.result_type(point.dtype, *(s.dtype for s in shapes)))
            y = cast(lift(formula(q, *shapes)), FLOAT)
            y = y if _is(scale, 1.0) else y * scale
            return _result(checked(label, y if _is(loc, 0.0) else y + loc, *valid))
        z = _moved(point, loc, scale)
        below = [z <= d.low if d.open else z < d.low] if d.low > -math.inf else []
        above = [z > d.high] if d.high < math.inf else []
        outside = _any(below + above)
        y = lift(formula(z if outside is None else where(outside, d.inside, z), *shapes))
        if method in OUTSIDE:
            if not _is(scale, 1.0):
                y = y - log(scale) if method == "logpdf" else y / scale
            y = y if outside is None else where(outside, OUTSIDE[method], y)
        else:
            y = where(above[0], ABOVE[method], y) if above else y
            y = where(below[0], BELOW[method], y) if below else y
        return _result(checked(label, y, *valid))

    return expand


# --- discrete -----------------------------------------------------------------------------------


def _discrete(label: str, d: Discrete, method: str, formula: Callable[..., Any]) -> Callable[..., Expr]:
    def expand(x: Any, *parameters: Any) -> Expr:
        *shapes, loc = map(_real, parameters)
        k = _real(x)
        k = cast(k, np.result_type(k.dtype, loc.dtype))
        k = k if _is(loc, 0.0) else k - loc
        above = None if d.high is None else d.high(*shapes)
        if method in OUTSIDE:
            conditions = [k < d.low]
            conditions += [] if above is None else [k > above]
            conditions += [apply("floor", k) < k] if k.dtype.kind == "f" else []
            outside = reduce(either, conditions)
            y = formula(integral(where(outside, d.low, k)), *shapes)
            y = where(outside, OUTSIDE[method], y)
        else:
            k = apply("floor", k) if k.dtype.kind == "f" else k
            below, beyond = k < d.low, None if above is None else k >= above
            outside = below if beyond is None else either(below, beyond)
            y = formula(where(outside, d.low, k), *shapes)
            y = y if beyond is None else where(beyond, ABOVE[method], y)
            y = where(below, BELOW[method], y)
        return _result(checked(label, y, *d.valid(*shapes)))

    return expand


# --- the calls ----------------------------------------------------------------------------------

_NEEDED = inspect.Parameter.empty


def _signature(first: str, shapes: tuple[str, ...], *others: tuple[str, Any]) -> inspect.Signature:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = ([(first, _NEEDED)] if first else []) + [(s, _NEEDED) for s in shapes] + list(others)
    return inspect.Signature([inspect.Parameter(n, kind, default=default) for n, default in names])


def _with_defaults(expand: Callable[..., Expr], signature: inspect.Signature) -> Callable[..., Expr]:
    def bound(*args: Any, **kwargs: Any) -> Expr:
        found = signature.bind(*args, **kwargs)
        found.apply_defaults()
        return expand(*found.args, **found.kwargs)

    return bound


LOC, SCALE = ("loc", 0), ("scale", 1)


def _methods() -> Iterator[tuple[str, str, Call]]:
    """Yield distribution, method and Call."""
    for name, d in CONTINUOUS.items():
        for method in ("pdf", "logpdf", "cdf", "logcdf", "sf", "logsf", *QUANTILES):
            formula = d.formula(method)
            if formula is not None:
                label = f"{name}.{method}"
                signature = _signature("q" if method in QUANTILES else "x", d.shapes, LOC, SCALE)
                expand = _with_defaults(_continuous(label, d, method, formula), signature)
                yield name, method, make_call(label, expand, signature=signature)
    for name, discrete in DISCRETE.items():
        for method in ("pmf", "logpmf", "cdf", "logcdf", "sf", "logsf"):
            formula = discrete.formula(method)
            if formula is not None:
                label = f"{name}.{method}"
                signature = _signature("k", discrete.shapes, LOC)
                expand = _with_defaults(_discrete(label, discrete, method, formula), signature)
                yield name, method, make_call(label, expand, signature=signature)
    for (name, method), expand in MULTIVARIATE.items():
        yield name, method, make_call(f"{name}.{method}", expand, "allow_singular")


@functools.cache
def calls() -> dict[tuple[str, str], Call]:
    """Return what the methods of distributions mean, made when the first is looked up."""
    return {(name, method): call for name, method, call in _methods()}


def stats_call(obj: Any) -> Call | None:
    """Return what a method of a distribution means, None for all else."""
    name = _distribution(getattr(obj, "__self__", None))
    return calls().get((name, getattr(obj, "__name__", ""))) if name else None


def distribution(obj: Any) -> inspect.Signature | None:
    """Return the parameters of a distribution that has calls, None for all else."""
    name = _distribution(obj)
    call = next((c for (n, _), c in calls().items() if n == name), None) if name else None
    if call is None:
        return None
    return inspect.Signature(list(call.signature.parameters.values())[1:])


def is_closed(method: Any) -> bool:
    """True for a method of a distribution of SciPy whose text is not to be read: of frozen ones it is."""
    owner = type(method.__self__)
    return owner.__module__.startswith(MODULE) and owner.__name__ not in FROZEN


def _distribution(obj: Any) -> str:
    """The name of a distribution that has calls, empty for others."""
    module = sys.modules.get(MODULE)
    if module is None or not type(obj).__module__.startswith(MODULE):
        return ""
    name = type(obj).__name__.removesuffix("_gen")
    return name if type(getattr(module, name, None)) is type(obj) else ""
