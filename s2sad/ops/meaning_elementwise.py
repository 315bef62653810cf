"""What calls of ufuncs and other elementwise functions mean."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np

from s2sad.errors import TypeMismatch
from s2sad.ir.types import Dtype
from s2sad.ops.call import (
    FUNCTIONS,
    METHODS,
    Call,
    Casting,
    as_rank0,
    expr,
    make_call,
    meaning,
    only,
    some_axes,
    strong,
)
from s2sad.ops.declare import literal_value
from s2sad.ops.expr import Expr, apply
from s2sad.ops.functions import cast, expand, imag, isnan, literal, real, where, zeros_like

_KEYWORDS = [
    inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)
    for name, default in (
        ("where", True),
        ("casting", "same_kind"),
        ("order", "K"),
        ("dtype", None),
        ("subok", True),
        ("signature", None),
    )
]


def ufunc_signature(arity: int) -> inspect.Signature:
    """Return a ufunc's signature: x or x1, x2, ..., then out and the keywords."""
    names = ["x"] if arity == 1 else [f"x{k + 1}" for k in range(arity)]
    inputs = [inspect.Parameter(n, inspect.Parameter.POSITIONAL_ONLY) for n in names]
    out = inspect.Parameter("out", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None)
    return inspect.Signature([*inputs, out, *_KEYWORDS])


def ufunc(function: Any, op: str) -> Call:
    """Return the Call of a ufunc that is one op."""

    def expand_(
        *xs: Any, where: Any = True, dtype: Any = None, casting: Casting = "same_kind", **others: Any
    ) -> Expr:
        only("where", where, True)
        return elementwise_call(op, *loop_arguments(function, xs[: function.nin], dtype, casting))

    return make_call(function.__name__, expand_, signature=ufunc_signature(function.nin))


def loop_arguments(
    function: Any, xs: tuple[Any, ...], dtype: Any, casting: Casting = "same_kind"
) -> tuple[Expr, ...]:
    """Return the arguments as the loop takes them that NumPy chooses for a result of `dtype`."""
    args = tuple(expr(x) for x in xs)
    if dtype is None:
        return args
    wanted = (*(None for _ in args), np.dtype(dtype))
    found = resolved(function, args, signature=wanted, casting=casting)
    return tuple(cast(x, t) for x, t in zip(args, found, strict=False))


def resolved(function: Any, args: tuple[Expr, ...], **options: Any) -> tuple[Dtype, ...]:
    """Return the dtypes of the operands and the result of the loop that NumPy chooses."""
    given = tuple(_PYTHON.get(x.dtype.kind, x.dtype) if is_weak(x) else x.dtype for x in args)
    try:
        return tuple(function.resolve_dtypes((*given, None), **options))
    except TypeError as error:
        raise TypeMismatch("S325", f"{type(error).__name__}: {error}") from error


_PYTHON = {"i": int, "f": float, "c": complex}


def is_weak(x: Expr) -> bool:
    """True for a Python number."""
    return bool(getattr(x.type, "weak", False))


def _outer(op: str) -> Any:
    def outer(A: Any, B: Any, /) -> Expr:
        a, b = expr(A), expr(B)
        wide = expand(a, *range(a.ndim, a.ndim + b.ndim)) if a.is_array else a
        return elementwise_call(op, wide, b)

    return outer


def elementwise_call(op: str, *args: Expr) -> Expr:
    """Return `op` as the NumPy function of that name computes it: never a Python number."""
    e = apply(op, *args)
    return apply(op, strong(args[0]), *args[1:]) if getattr(e.type, "weak", False) else e


def _reduce(op: str) -> Any:
    def reduce(
        array: Any,
        /,
        axis: Any = 0,
        dtype: Any = None,
        out: Any = None,
        keepdims: bool = False,
        initial: Any = None,
        where: Any = True,
    ) -> Expr:
        for name, value, accepted in (
            ("dtype", dtype, None),
            ("initial", initial, None),
            ("where", where, True),
        ):
            only(name, value, accepted)
        x = strong(expr(array))
        return apply(op, x, axis=some_axes(axis, x.ndim), keepdims=bool(keepdims))

    return reduce


SAME_NAME = [
    "add",
    "subtract",
    "multiply",
    "divide",
    "floor_divide",
    "remainder",
    "fmod",
    "power",
    "float_power",
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "arctan2",
    "hypot",
    "logaddexp",
    "logaddexp2",
    "negative",
    "positive",
    "absolute",
    "fabs",
    "sign",
    "copysign",
    "sqrt",
    "cbrt",
    "square",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "sin",
    "cos",
    "tan",
    "arcsin",
    "arccos",
    "arctan",
    "sinh",
    "cosh",
    "tanh",
    "arcsinh",
    "arccosh",
    "arctanh",
    "reciprocal",
    "floor",
    "ceil",
    "trunc",
    "rint",
    "isnan",
    "isfinite",
    "isinf",
    "signbit",
    "heaviside",
    "less",
    "less_equal",
    "greater",
    "greater_equal",
    "equal",
    "not_equal",
    "logical_and",
    "logical_or",
    "logical_not",
    "logical_xor",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "invert",
    "left_shift",
    "right_shift",
    "deg2rad",
    "rad2deg",
    "conjugate",
    "nextafter",
    "spacing",
    "gcd",
    "lcm",
]

for _name in SAME_NAME:
    _function = getattr(np, _name)
    FUNCTIONS[_function] = ufunc(_function, _name)
    if _function.nin == 2:
        meaning(_function.outer)(_outer(_name))
for _name, _reduction in (("add", "sum"), ("multiply", "prod"), ("maximum", "max"), ("minimum", "min")):
    meaning(getattr(np, _name).reduce)(_reduce(_reduction))
for _function, _op in ((np.radians, "deg2rad"), (np.degrees, "rad2deg")):
    FUNCTIONS[_function] = ufunc(_function, _op)


@meaning(np.sign)
def sign(x: Any, /, out: Any = None, *, where: Any = True, dtype: Any = None) -> Expr:
    """Return np.sign(x); of a complex number it has a derivative."""
    only("where", where, True)
    (x,) = loop_arguments(np.sign, (x,), dtype)
    return apply("sign" if x.dtype.kind != "c" else "phase", x)


@meaning(np.conjugate)
def conj(x: Any, /, out: Any = None, *, where: Any = True, dtype: Any = None) -> Expr:
    """Return np.conj(x)."""
    only("where", where, True)
    (x,) = loop_arguments(np.conjugate, (x,), dtype)
    return apply("conjugate", x) if x.dtype.kind == "c" else apply("positive", strong(x))


def conj_method(self: Any, /) -> Expr:
    """Return `x.conj()`: a real array itself, not a copy as np.conj makes it."""
    x = expr(self)
    if x.is_array and x.dtype.kind != "c":
        return x
    found = conj(x)
    return apply("to_complex", found) if getattr(x.type, "weak", False) and x.dtype.kind == "c" else found


METHODS["conj"] = METHODS["conjugate"] = make_call("conj", conj_method)


@meaning(np.real)
def real_(val: Any) -> Expr:
    """Return np.real(val): of real numbers the argument itself."""
    x = expr(val)
    return real(x) if x.dtype.kind == "c" else x


@meaning(np.imag)
def imag_(val: Any) -> Expr:
    """Return np.imag(val)."""
    return imaginary(expr(val))


def imaginary(x: Expr) -> Expr:
    """Return the imaginary part, zeros of real numbers."""
    if x.dtype.kind == "c":
        return imag(x)
    if getattr(x.type, "weak", False):
        return literal(0.0 if x.dtype.kind == "f" else 0)
    return zeros_like(x, dtype=None)


@meaning(np.angle, static="deg")
def angle(z: Any, deg: bool = False) -> Expr:
    """Return np.angle(z)."""
    x = strong(expr(z))
    a = apply("arctan2", imag_(x), real_(x))
    return a * (180.0 / math.pi) if deg else a


@meaning(np.round, np.around, method="round", static="decimals")
def round_(a: Any, decimals: int = 0, out: Any = None) -> Expr:
    """Return np.round(a)."""
    return apply("round", expr(a), **({"decimals": decimals} if decimals else {}))


@meaning(np.sinc)
def sinc(x: Any) -> Expr:
    """Return np.sinc(x)."""
    return elementwise_call("sinc", expr(x))


@meaning(np.fix)
def fix(x: Any, out: Any = None) -> Expr:
    """Return np.fix(x)."""
    return apply("trunc", expr(x))


@meaning(np.divmod)
def divmod_(x1: Any, x2: Any, /, *, where: Any = True) -> tuple[Expr, Expr]:
    """Return np.divmod(x1, x2)."""
    a, b = expr(x1), expr(x2)
    return elementwise_call("floor_divide", a, b), elementwise_call("remainder", a, b)


@meaning(np.modf)
def modf(x: Any, /, *, where: Any = True) -> tuple[Expr, Expr]:
    """Return np.modf(x): fraction (which keeps the derivative) and whole part."""
    a = strong(expr(x))
    whole = apply("trunc", a)
    return apply("where", apply("isinf", a), 0.0, a - whole), whole


@meaning(np.clip)
def clip(
    a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, *, min: Any = None, max: Any = None
) -> Expr:
    """Return np.clip(a, a_min, a_max)."""
    return bounded(expr(a), a_min if a_min is not None else min, a_max if a_max is not None else max)


def clip_method(self: Any, min: Any = None, max: Any = None, out: Any = None) -> Expr:
    """Return `a.clip(min, max)`."""
    return bounded(expr(self), min, max)


METHODS["clip"] = make_call("clip", clip_method)


def bounded(x: Expr, lo: Any, hi: Any) -> Expr:
    """Return x clipped to bounds that may be None."""
    if x.dtype.kind in "iu":
        limits = np.iinfo(x.dtype.name)
        lo = None if (known := _whole(lo)) is not None and known <= limits.min else lo
        hi = None if (known := _whole(hi)) is not None and known >= limits.max else hi
    if lo is None and hi is None:
        return apply("positive", strong(x))
    if hi is None:
        return apply("maximum", x, expr(lo))
    return apply("minimum", x, expr(hi)) if lo is None else apply("clip", x, expr(lo), expr(hi))


def _whole(bound: Any) -> int | None:
    """The int that a bound is, if that is known."""
    known = literal_value(expr(bound)) if bound is not None else None
    return known if isinstance(known, int) else None


@meaning(np.where)
def where_(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    """Return np.where(condition, x, y): an array, even of scalars."""
    if x is None or y is None:
        return FUNCTIONS[np.nonzero].expand(condition)
    return choose(expr(condition), expr(x), expr(y))


def choose(c: Expr, a: Expr, b: Expr) -> Expr:
    """Return np.where(c, a, b)."""
    return apply("where" if c.is_array or a.is_array or b.is_array else "where0", c, a, b)


@meaning(np.select)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Expr:
    """Return np.select(condlist, choicelist, default)."""
    out = expr(default)
    for c, x in reversed(list(zip(condlist, choicelist, strict=True))):
        out = choose(expr(c), expr(x), out)
    return as_rank0(out)


@meaning(np.nan_to_num)
def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Expr:
    """Return np.nan_to_num(x)."""
    only("copy", copy, True)
    a = strong(expr(x))
    if a.dtype.kind in "biu":
        return apply("copy", a) if a.is_array else a
    if a.dtype.kind == "c":
        parts = [nan_to_num(e, True, nan, posinf, neginf) for e in (real(a), imag(a))]
        return cast(parts[0] + 1j * parts[1], a.dtype)
    big = float(np.finfo(a.dtype.name).max)
    high, low = (big if posinf is None else posinf), (-big if neginf is None else neginf)
    out = where(a.eq(math.inf), high, where(a.eq(-math.inf), low, a))
    out = where(isnan(a), nan, out)
    return apply("item0", out) if out.is_array and not out.ndim else out


@meaning(np.isclose, static="equal_nan")
def isclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Expr:
    """Return np.isclose(a, b)."""
    return apply("isclose", expr(a), expr(b), rtol, atol, equal_nan=equal_nan)


@meaning(np.allclose, static="equal_nan")
def allclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Expr:
    """Return np.allclose(a, b)."""
    return apply("allclose", expr(a), expr(b), rtol, atol, equal_nan=equal_nan)


@meaning(np.array_equal, static="equal_nan")
def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Expr:
    """Return np.array_equal(a1, a2)."""
    return apply("array_equal", expr(a1), expr(a2), equal_nan=equal_nan)


@meaning(np.isposinf)
def isposinf(x: Any, out: Any = None) -> Expr:
    """Return np.isposinf(x)."""
    return elementwise_call("equal", expr(x), expr(math.inf))


@meaning(np.isneginf)
def isneginf(x: Any, out: Any = None) -> Expr:
    """Return np.isneginf(x)."""
    return elementwise_call("equal", expr(x), expr(-math.inf))


@meaning(np.isreal)
def isreal(x: Any) -> Expr:
    """Return np.isreal(x)."""
    return apply("equal", imag_(x), 0)


@meaning(np.iscomplex)
def iscomplex(x: Any) -> Expr:
    """Return np.iscomplex(x)."""
    return apply("not_equal", strong(imag_(x)), 0)


@meaning(np.iscomplexobj)
def iscomplexobj(x: Any) -> bool:
    """Return np.iscomplexobj(x)."""
    return expr(x).dtype.kind == "c"


@meaning(np.isrealobj)
def isrealobj(x: Any) -> bool:
    """Return np.isrealobj(x)."""
    return expr(x).dtype.kind != "c"


@meaning(np.bool_)
def bool__(x: Any = False, /) -> Expr:
    """Return np.bool_(x)."""
    return as_scalar_type(expr(x), np.bool_)


def as_scalar_type(x: Expr, dtype: Any) -> Expr:
    """Return what calling a NumPy scalar type gives: arrays of rank 0 become scalars."""
    if x.is_array and not x.ndim:
        x = apply("item0", x)
    return cast(x, np.dtype(dtype))


def _scalar_type(t: Any) -> Call:
    def expand_(x: Any = 0, /) -> Expr:
        return as_scalar_type(expr(x), t)

    return make_call(t.__name__, expand_)


for _type in (np.float64, np.float32, np.float16, np.int64, np.int32, np.int16, np.int8, np.uint8, np.uint16,
              np.uint32, np.uint64, np.complex128, np.complex64):  # fmt: skip
    FUNCTIONS[_type] = _scalar_type(_type)
