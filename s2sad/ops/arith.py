"""Operators and what is defined by comparing: arithmetic, order, bits, selection, kinks."""

from __future__ import annotations

import operator as op
from typing import Any

import numpy as np

from s2sad.ir.builder import Sizes, result_type
from s2sad.ir.size import Size
from s2sad.ir.types import WEAK_BOOL, WEAK_FLOAT, WEAK_NAMES, Array, Scalar, without_sizes
from s2sad.ops.declare import (
    Params,
    Types,
    all_weak,
    any_array,
    broadcast_shape,
    dtype_text,
    elementwise,
    linear,
    literal_value,
    nondiff,
)
from s2sad.ops.expr import Expr, Masked, apply
from s2sad.ops.functions import (
    both,
    cast,
    conj,
    either,
    floor_divide,
    isnan,
    log,
    logical_not,
    nonzero_denominator,
    power,
    real,
    sign,
    where,
)
from s2sad.record import replace

# --- arithmetic -------------------------------------------------------------------------------

elementwise("add", op.add, lambda g, a, b, y: (g, g), "{} + {}", commutes=True, size=op.add)
elementwise("subtract", op.sub, lambda g, a, b, y: (g, -g), "{} - {}", size=op.sub)
elementwise(
    "multiply",
    op.mul,
    lambda g, a, b, y: (b * g, a * g),
    "{} * {}",
    commutes=True,
    size=op.mul,
    bilinear=True,
)
elementwise("negative", op.neg, lambda g, x, y: -g, "-{}", size=op.neg)
elementwise("positive", op.pos, lambda g, x, y: g, "+{}", size=lambda n: n)
AWAY = ((-2.0, 2.0), (0.5, 2.0))  # second operand away from 0
elementwise(
    "divide",
    op.truediv,
    lambda g, a, b, y: (g / b, -y * (g / b)),
    "{} / {}",
    cost=4,
    domain=AWAY,
    undoes=(0, lambda y, a, b: y * b),
)
nondiff("floor_divide", op.floordiv, "{} // {}", size=op.floordiv, domain=AWAY, cost=4)
elementwise(
    "remainder", op.mod, lambda g, a, b, y: (g, -floor_divide(a, b) * g), "{} % {}", domain=AWAY, cost=4
)
elementwise("fmod", np.fmod, lambda g, a, b, y: (g, (y - a) / b * g), "np.fmod", domain=AWAY, cost=4)


def _power(g: Expr, a: Expr, b: Expr, y: Expr) -> tuple[Expr, Expr]:
    return _base(g, a, b), _exponent(g, a, b, y)


def _base(g: Expr, a: Expr, b: Expr) -> Expr:
    n = literal_value(b)
    if n is None:  # at exponent 0 the factor is 0 * a**0, not 0 * a**-1
        return b * power(a, where(b.eq(0), 0, b - 1)) * g
    if n == 0:
        return 0.0 * g
    if n == 1:
        return g
    factor: Expr = n * a if n == 2 else n * power(a, n - 1)
    return factor * g


def _exponent(g: Expr, a: Expr, b: Expr, y: Expr) -> Expr:
    base = literal_value(a)
    if isinstance(base, int | float) and base > 0:
        return y * apply("math_log", a) * g
    if y.dtype.kind == "c":  # the logarithm of a negative base is complex
        a = cast(a, y.dtype)
    return y * log(nonzero_denominator(a)) * g


def _power_type(t: Scalar, types: Types) -> Scalar:
    """Of Python ints, `2 ** -1` is a float: an int is what is known to be one. A power of 1 and -1 is
    one as a number whatever the exponent."""
    base, exponent = types
    if not t.weak or t.dtype.kind != "i" or not isinstance(base, Scalar) or not isinstance(exponent, Scalar):
        return t
    n, unit = exponent.size, base.size in (Size.of(1), Size.of(-1))
    if n is not None and n.is_const and n.const >= 0:
        known = base.size is not None and base.size.is_const
        return replace(t, size=Size.of(base.size.const**n.const)) if known and base.size else t
    return t if unit or (n is not None and n.clamped() == n) else WEAK_FLOAT


BASE = ((0.5, 2.0), (-2.0, 2.0))
POWER_KINKS = (
    "x**0 is constant in x; 0**y contributes 0 to the exponent; a negative base gives a real one nan"
)
elementwise(
    "power",
    op.pow,
    _power,
    "{} ** {}",
    cost=20,
    domain=BASE,
    kinks=POWER_KINKS,
    refine=_power_type,
)
elementwise("float_power", np.float_power, _power, "np.float_power", cost=20, domain=BASE, kinks=POWER_KINKS)

# --- absolute value and the like --------------------------------------------------------------


def _absolute(g: Expr, x: Expr, y: Expr) -> Expr:
    if x.dtype.kind != "c":
        return sign(x) * g if not all_weak((x.type,)) else where(x > 0, g, where(x < 0, -g, 0.0))
    part = conj(x) / nonzero_denominator(y) * g
    return real(part) if g.dtype.kind == "c" else part  # a tangent is complex, a cotangent real


elementwise(
    "absolute",
    abs,
    _absolute,
    "np.abs",
    spell=lambda types, params: "abs({})" if all_weak(types) else "np.abs({})",
    kinks="0 at 0",
)
elementwise("fabs", np.fabs, lambda g, x, y: sign(x) * g, "np.fabs", kinks="0 at 0")
nondiff("sign", np.sign, "np.sign")
elementwise("copysign", np.copysign, lambda g, a, b, y: (sign(a) * sign(y) * g, None), "np.copysign")
for name in ("floor", "ceil", "trunc", "rint"):
    nondiff(name, getattr(np, name), f"np.{name}")
nondiff("round", np.round, "np.round", defaults={"decimals": 0})
nondiff("heaviside", np.heaviside, "np.heaviside")

# --- order ------------------------------------------------------------------------------------


def _share(g: Expr, a: Expr, b: Expr, wins: Expr, wins_or_ties: Expr) -> Masked:
    """The contribution to `a`, which is chosen where it wins over b."""
    if literal_value(b) is not None:
        return Masked(g, wins)
    return Masked(where(a.eq(b), 0.5 * g, g), wins_or_ties)


def _maximum(g: Expr, a: Expr, b: Expr, y: Expr) -> tuple[Masked, Masked]:
    return _share(g, a, b, a > b, a >= b), _share(g, b, a, b > a, b >= a)


def _minimum(g: Expr, a: Expr, b: Expr, y: Expr) -> tuple[Masked, Masked]:
    return _share(g, a, b, a < b, a <= b), _share(g, b, a, b < a, b <= a)


def _fmax(g: Expr, a: Expr, b: Expr, y: Expr) -> tuple[Masked, Masked]:
    return (
        _share(g, a, b, either(a > b, isnan(b)), either(a >= b, isnan(b))),
        _share(g, b, a, either(b > a, isnan(a)), either(b >= a, isnan(a))),
    )


def _fmin(g: Expr, a: Expr, b: Expr, y: Expr) -> tuple[Masked, Masked]:
    return (
        _share(g, a, b, either(a < b, isnan(b)), either(a <= b, isnan(b))),
        _share(g, b, a, either(b < a, isnan(a)), either(b <= a, isnan(a))),
    )


def _clip(g: Expr, x: Expr, lo: Expr, hi: Expr, y: Expr) -> tuple[Masked, Masked, Masked]:
    """minimum(maximum(x, lo), hi)."""
    fixed_lo, fixed_hi = literal_value(lo) is not None, literal_value(hi) is not None
    share = g if fixed_lo else where(x.eq(lo), 0.5 * g, g)
    share = share if fixed_hi else where(x.eq(hi), 0.5 * share, share)
    inside = both(x > lo if fixed_lo else x >= lo, x < hi if fixed_hi else x <= hi)
    high = where(x.eq(hi), 0.5 * g, g)
    return (
        Masked(share, inside),
        Masked(where(x.eq(lo), 0.5 * g, g), both(x <= lo, lo < hi)),
        Masked(high, either(x >= hi, lo >= hi)),
    )


TIES = "ties split evenly; a literal wins a tie"
elementwise("maximum", np.maximum, _maximum, "np.maximum", kinks=TIES, commutes=True)
elementwise("minimum", np.minimum, _minimum, "np.minimum", kinks=TIES, commutes=True)
elementwise("fmax", np.fmax, _fmax, "np.fmax", kinks=TIES, commutes=True)
elementwise("fmin", np.fmin, _fmin, "np.fmin", kinks=TIES, commutes=True)
elementwise(
    "clip", np.clip, _clip, "np.clip", kinks=TIES, cost=2, domain=((-2.0, 2.0), (-1.0, 0.0), (0.5, 1.0))
)

nondiff("less", op.lt, "{} < {}")
nondiff("less_equal", op.le, "{} <= {}")
nondiff("greater", op.gt, "{} > {}")
nondiff("greater_equal", op.ge, "{} >= {}")
nondiff("equal", op.eq, "{} == {}", commutes=True)
nondiff("not_equal", op.ne, "{} != {}", commutes=True)

# --- truth and bits ---------------------------------------------------------------------------

for name in ("logical_and", "logical_or", "logical_xor", "logical_not", "isnan", "isfinite", "isinf"):
    nondiff(
        name, getattr(np, name), f"np.{name}", commutes=name.startswith("logical") and name != "logical_not"
    )
nondiff("signbit", np.signbit, "np.signbit")
nondiff("bitwise_and", op.and_, "{} & {}", commutes=True, domain="int")
nondiff("bitwise_or", op.or_, "{} | {}", commutes=True, domain="int")
nondiff("bitwise_xor", op.xor, "{} ^ {}", commutes=True, domain="int")
nondiff("invert", op.invert, "~{}", domain="int")
nondiff("left_shift", op.lshift, "{} << {}", domain="int")
nondiff("right_shift", op.rshift, "{} >> {}", domain="int")

# --- comparisons with a tolerance -------------------------------------------------------------


def _bool(types: Types, params: Params, sizes: Sizes) -> Types:
    return (WEAK_BOOL,)


def _spell_close(name: str) -> Any:
    def spell(types: Types, params: Params) -> str:
        return f"np.{name}({{0}}, {{1}}, {{2}}, {{3}}" + (", equal_nan=True)" if params["equal_nan"] else ")")

    return spell


nondiff("isclose", np.isclose, "np.isclose", spell=_spell_close("isclose"))
nondiff("allclose", np.allclose, "np.allclose", spell=_spell_close("allclose"), infer=_bool)
nondiff("array_equal", np.array_equal, "np.array_equal", infer=_bool, defaults={"equal_nan": False})

# --- selection --------------------------------------------------------------------------------


def _where(c: Any, a: Any, b: Any) -> Any:
    """np.where, but on scalars the result is a scalar, and a Python number if both choices are."""
    if isinstance(c, np.ndarray) or isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.where(c, a, b)
    if isinstance(a, np.generic) or isinstance(b, np.generic):
        return np.where(c, a, b)[()]
    return type(a + b)(a if c else b) if type(a) is not type(b) else (a if c else b)


def _spell_where(types: Types, params: Params) -> str:
    _, a, b = types
    if any_array(types):
        return "np.where({0}, {1}, {2})"
    if without_sizes(a) == without_sizes(b):
        return "{1} if {0} else {2}"
    kind = result_type(_where, types, {})
    text = WEAK_NAMES[kind.dtype.kind] if all_weak((kind,)) else dtype_text(kind.dtype)
    return text + "({1} if {0} else {2})"


def _where_transpose(g: Expr, c: Expr, a: Expr, b: Expr, y: Expr) -> tuple[None, Masked, Masked]:
    return None, Masked(g, c), Masked(g, logical_not(c))


NOT_TAKEN = "a branch not taken contributes exactly 0"
linear(
    "where",
    _where,
    _where_transpose,
    "np.where",
    shape=broadcast_shape,
    spell=_spell_where,
    linear_args=(1, 2),
    kinks=NOT_TAKEN,
)
linear(
    "where0",
    np.where,
    _where_transpose,
    "np.where",
    infer=lambda types, params, sizes: (Array(result_type(np.where, types, {}).dtype, ()),),
    linear_args=(1, 2),
    kinks=NOT_TAKEN,
    doc="np.where of scalars: an array of rank 0",
)
