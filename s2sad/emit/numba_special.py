"""scipy.special in compiled code: Numba is told which C function of SciPy stands for each name."""

from __future__ import annotations

import functools
import inspect
import math
import re
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import scipy.special
from numba.extending import overload

from s2sad.emit.numba_symbols import external
from s2sad.errors import UnsupportedOp
from s2sad.ops.special_c import EULER_MACLAURIN, EXPORTING, c_function

CALLED = re.compile(r"\bscipy\.special\.(\w+)\(")


def teach(text: str) -> None:
    """Make the functions of scipy.special that a lowered text calls known to Numba."""
    for name in sorted(set(CALLED.findall(text))):
        _teach(name)


@functools.cache
def _teach(name: str) -> None:
    if name == "zeta":
        function, arity = numba.njit(error_model="numpy")(hurwitz_zeta), 2
    else:
        function, arity = _c_function(name)
    typed = TYPED[arity](function)
    if name.startswith("eval_"):  # whole orders by recurrence, others by hypergeometric functions
        typed = _of_order(TYPED[arity](_c_function(name, whole=True)[0]), typed)
    overload(getattr(scipy.special, name), strict=False)(typed)


def _of_order(whole: Callable[..., Any], real: Callable[..., Any]) -> Callable[..., Any]:
    """Return what chooses by the type of the order, the first argument."""
    if len(inspect.signature(real).parameters) == 2:
        return lambda x, y: whole(x, y) if isinstance(x, numba.types.Integer) else real(x, y)
    return lambda x, y, z: whole(x, y, z) if isinstance(x, numba.types.Integer) else real(x, y, z)


def _c_function(name: str, whole: bool = False) -> tuple[Any, int]:
    """Return the C function on doubles and its number of arguments; `whole`: the first is an int."""
    found = c_function(name, whole)
    if found is None:
        why = f"this version of SciPy has no compiled scipy.special.{name}"
        raise UnsupportedOp("S290", why, "use a newer SciPy, or jit=False")
    types: list[Any] = [numba.float64] * found.arity
    if whole:
        types[0] = numba.int64
    return external(EXPORTING, found.key, numba.float64(*types)), found.arity


def _is_single(*types: Any) -> bool:
    """True if the result is a float32, as for the ufunc."""
    return all(t == numba.float32 for t in types)


def _unary(f: Any) -> Callable[..., Any]:
    def typed(x: Any) -> Any:
        return (lambda x: np.float32(f(x))) if _is_single(x) else (lambda x: f(x))

    return typed


def _binary(f: Any) -> Callable[..., Any]:
    def typed(x: Any, y: Any) -> Any:
        return (lambda x, y: np.float32(f(x, y))) if _is_single(x, y) else (lambda x, y: f(x, y))

    return typed


def _ternary(f: Any) -> Callable[..., Any]:
    def typed(x: Any, y: Any, z: Any) -> Any:
        if _is_single(x, y, z):
            return lambda x, y, z: np.float32(f(x, y, z))
        return lambda x, y, z: f(x, y, z)

    return typed


TYPED = {1: _unary, 2: _binary, 3: _ternary}


def hurwitz_zeta(s: float, q: float) -> float:
    """Return the sum of (q + k) ** -s over k = 0, 1, ...: the first terms, then the Euler-Maclaurin
    formula (Abramowitz and Stegun 1964, 3.6.28), as SciPy does."""
    if s == 1.0:
        return math.inf
    if q <= 0.0 and q == math.floor(q) and not s < 1.0:
        return math.inf
    if s < 1.0 or (q <= 0.0 and s != math.floor(s)):
        return math.nan
    if q > 1e8:
        return float((1.0 / (s - 1.0) + 0.5 / q) * q ** (1.0 - s))
    total = float(q**-s)
    a, k, term = q, 0, total
    while k < 9 or a <= 9.0:
        k += 1
        a += 1.0
        term = float(a**-s)
        total += term
        if abs(term) < 1.1e-16 * abs(total):
            return total
    total += term * a / (s - 1.0) - 0.5 * term
    factor = 1.0
    for j in range(12):
        factor *= s + 2.0 * j
        term /= a
        step = factor * term / EULER_MACLAURIN[j]
        total += step
        if abs(step) < 1.1e-16 * abs(total):
            return total
        factor *= s + 2.0 * j + 1.0
        term /= a
    return total
