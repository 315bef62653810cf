"""Python's own scalar functions: float(), int(), not, round(), and the module math.

Results are Python numbers; math's exceptions are kept. Arguments may be arrays of one element where
Python accepts them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from s2sad.ir.types import WEAK_BOOL, WEAK_COMPLEX, WEAK_FLOAT, WEAK_INT, Type
from s2sad.ops.declare import Infer, Params, Types, elementwise, linear, nondiff
from s2sad.ops.expr import Expr, Masked, apply
from s2sad.ops.functions import broadcast_like, nonzero_denominator, where
from s2sad.ops.special import special


def _gives(t: Type) -> Infer:
    return lambda types, params, sizes: (t,)


def _item(x: Any) -> Any:
    return x.item() if isinstance(x, np.ndarray | np.generic) else x


def _int_infer(types: Types, params: Params, sizes: Any) -> Types:
    size = getattr(types[0], "size", None)
    return (WEAK_INT if size is None else type(WEAK_INT)(WEAK_INT.dtype, True, size),)


def _spell_number(name: str) -> Any:
    def spell(types: Types, params: Params) -> str:
        return name + ("({}.item())" if types[0].ndim else "({})")

    return spell


def _to_float(g: Expr, x: Expr, y: Expr) -> tuple[Expr]:
    return (broadcast_like(g, x) if x.ndim else g,)


linear(
    "to_float",
    lambda x: float(_item(x)),
    _to_float,
    "float",
    infer=_gives(WEAK_FLOAT),
    spell=_spell_number("float"),
)
linear(
    "to_complex",
    lambda x: complex(_item(x)),
    _to_float,
    "complex",
    infer=_gives(WEAK_COMPLEX),
    spell=_spell_number("complex"),
)
nondiff("to_int", lambda x: int(_item(x)), "int", infer=_int_infer, spell=_spell_number("int"))
nondiff("to_bool", lambda x: bool(_item(x)), "bool", infer=_gives(WEAK_BOOL), spell=_spell_number("bool"))
nondiff("not_", lambda x: not x, "not {}", infer=_gives(WEAK_BOOL))
nondiff("round_to_int", lambda x: round(_item(x)), "round", infer=_gives(WEAK_INT))
nondiff(
    "round_float",
    lambda x, digits: float(round(_item(x), digits)),
    "round",
    infer=_gives(WEAK_FLOAT),
    spell=lambda types, params: f"round({{}}, {params['digits']})",
)

# --- max and min: the branch taken decides -------------------------------------------------------


def _py_extreme(function: Any) -> Any:
    def evaluate(a: Any, b: Any) -> Any:
        chosen = function(a, b)
        if isinstance(a, np.generic) or isinstance(b, np.generic):
            return np.result_type(a, b).type(chosen)
        return type(a + b)(chosen) if type(a) is not type(b) else chosen

    return evaluate


def _py_max(g: Expr, a: Expr, b: Expr, y: Expr) -> tuple[Masked, Masked]:
    return Masked(g, apply("not_", b > a)), Masked(g, b > a)


def _py_min(g: Expr, a: Expr, b: Expr, y: Expr) -> tuple[Masked, Masked]:
    return Masked(g, apply("not_", b < a)), Masked(g, b < a)


FIRST = "of equal ones the first"
elementwise(
    "py_max",
    _py_extreme(max),
    _py_max,
    "max",
    kinks=FIRST,
    size=lambda a, b: a + b - a.minimum(b),
)
elementwise("py_min", _py_extreme(min), _py_min, "min", kinks=FIRST, size=lambda a, b: a.minimum(b))

# --- math ---------------------------------------------------------------------------------------


def _m(name: str) -> Any:
    return lambda *args: apply("math_" + name, *args)


_sin, _cos, _sinh, _cosh, _exp, _log, _sqrt = map(_m, ("sin", "cos", "sinh", "cosh", "exp", "log", "sqrt"))
LN2, LN10, DEGREE, TWO_OVER_ROOT_PI = math.log(2.0), math.log(10.0), math.pi / 180.0, 2.0 / math.sqrt(math.pi)
POSITIVE, UNIT = (0.2, 2.0), (-0.9, 0.9)


def _pow(g: Expr, a: Expr, b: Expr, y: Expr) -> tuple[Expr, Expr]:
    return (
        b * apply("math_pow", a, where(b.eq(0), 0.0, b - 1.0)) * g,
        y * _log(nonzero_denominator(a)) * g,
    )


def _hypot(g: Expr, *xs: Expr, y: Expr) -> tuple[Expr, ...]:
    return tuple(x / nonzero_denominator(y) * g for x in xs)


def _log_base(g: Expr, x: Expr, base: Expr, y: Expr) -> tuple[Expr, Expr]:
    ln = _log(base)
    return g / (x * ln), -y * g / (base * ln)


def _atan2(g: Expr, a: Expr, b: Expr, y: Expr) -> tuple[Expr, Expr]:
    r = apply("math_hypot", a, b)
    return b / r / r * g, -a / r / r * g


def _math(name: str, derivative: Any, **columns: Any) -> None:
    columns.setdefault("infer", _gives(WEAK_FLOAT))
    columns.setdefault("cost", 20)
    function = getattr(math, name)
    elementwise("math_" + name, function, derivative, "math." + name, **columns)


_math("exp", lambda g, x, y: y * g)
_math("expm1", lambda g, x, y: (y + 1.0) * g)
_math("log", lambda g, x, y: g / x, domain=POSITIVE)
elementwise(
    "math_log_base",
    math.log,
    _log_base,
    "math.log",
    infer=_gives(WEAK_FLOAT),
    domain=((0.2, 2.0), (1.5, 3.0)),
)
_math("log1p", lambda g, x, y: g / (1.0 + x), domain=UNIT)
_math("log2", lambda g, x, y: g / (LN2 * x), domain=POSITIVE)
_math("log10", lambda g, x, y: g / (LN10 * x), domain=POSITIVE)
_math("sqrt", lambda g, x, y: 0.5 * g / y, domain=POSITIVE, kinks="ZeroDivisionError at 0")
_math("sin", lambda g, x, y: _cos(x) * g)
_math("cos", lambda g, x, y: -_sin(x) * g)
_math("tan", lambda g, x, y: (1.0 + y * y) * g, domain=UNIT)
_math("asin", lambda g, x, y: g / _sqrt(1.0 - x * x), domain=UNIT)
_math("acos", lambda g, x, y: -g / _sqrt(1.0 - x * x), domain=UNIT)
_math("atan", lambda g, x, y: g / (1.0 + x * x))
_math("sinh", lambda g, x, y: _cosh(x) * g)
_math("cosh", lambda g, x, y: _sinh(x) * g)
_math("tanh", lambda g, x, y: (1.0 - y * y) * g)
_math("asinh", lambda g, x, y: g / _sqrt(x * x + 1.0))
_math("acosh", lambda g, x, y: g / _sqrt(x * x - 1.0), domain=(1.2, 3.0))
_math("atanh", lambda g, x, y: g / (1.0 - x * x), domain=UNIT)
_math("erf", lambda g, x, y: TWO_OVER_ROOT_PI * _exp(-x * x) * g)
_math("erfc", lambda g, x, y: -TWO_OVER_ROOT_PI * _exp(-x * x) * g)
_math("gamma", lambda g, x, y: y * special("psi", x) * g, domain=POSITIVE)
_math("lgamma", lambda g, x, y: special("psi", x) * g, domain=POSITIVE)
_math("radians", lambda g, x, y: DEGREE * g)
_math("degrees", lambda g, x, y: g / DEGREE)
_math("fabs", lambda g, x, y: where(x > 0, g, where(x < 0, -g, 0.0)), kinks="0 at 0")
_math("copysign", lambda g, a, b, y: (apply("sign", a) * apply("sign", y) * g, None))
_math("pow", _pow, domain=((0.5, 2.0), (-2.0, 2.0)), kinks="as power")
_math("hypot", _hypot, kinks="0 at the origin", domain=((-2.0, 2.0), (-2.0, 2.0)))
_math("atan2", _atan2, domain=((-2.0, 2.0), (0.5, 2.0)), kinks="ZeroDivisionError at the origin")
_math(
    "fmod",
    lambda g, a, b, y: (g, (y - a) / b * g),
    domain=((-2.0, 2.0), (0.5, 2.0)),
)
if hasattr(math, "exp2"):
    _math("exp2", lambda g, x, y: LN2 * y * g)
    _math("cbrt", lambda g, x, y: g / (3.0 * y * y), domain=POSITIVE, kinks="ZeroDivisionError at 0")
_math("remainder", lambda g, a, b, y: (g, (y - a) / b * g), domain=((-2.0, 2.0), (0.5, 2.0)))
elementwise(
    "math_fsum",
    lambda *xs: math.fsum(xs),
    lambda g, *xs, y: (g,) * len(xs),
    "math.fsum",
    spell=lambda types, params: "math.fsum((" + "".join("{}, " for _ in types).rstrip() + "))",
    infer=_gives(WEAK_FLOAT),
    domain=((-2.0, 2.0), (-2.0, 2.0)),
)
nondiff("math_isclose", lambda a, b, r, s: math.isclose(a, b, rel_tol=r, abs_tol=s), infer=_gives(WEAK_BOOL),
        spell=lambda types, params: "math.isclose({}, {}, rel_tol={}, abs_tol={})")  # fmt: skip

_math("nextafter", lambda g, x, to, y: (g, None), domain=((-2.0, 2.0), (-2.0, 2.0)))
linear(
    "math_ldexp",
    math.ldexp,
    lambda g, x, n, y: (apply("math_ldexp", g, n), None),
    "math.ldexp",
    infer=_gives(WEAK_FLOAT),
    linear_args=(0,),
)
nondiff(
    "math_exponent",
    lambda x: math.frexp(x)[1],
    "math.frexp({})[1]",
    infer=_gives(WEAK_INT),
    doc="the exponent of math.frexp",
)

for name, t in (
    ("ulp", WEAK_FLOAT),
    ("floor", WEAK_INT),
    ("ceil", WEAK_INT),
    ("trunc", WEAK_INT),
    ("factorial", WEAK_INT),
    ("comb", WEAK_INT),
    ("gcd", WEAK_INT),
    ("isqrt", WEAK_INT),
    ("perm", WEAK_INT),
    ("lcm", WEAK_INT),
    ("isnan", WEAK_BOOL),
    ("isinf", WEAK_BOOL),
    ("isfinite", WEAK_BOOL),
):
    nondiff("math_" + name, getattr(math, name), "math." + name, infer=_gives(t))
