"""Functions of complex numbers, in double precision: most are those of the C library, as NumPy's are."""

from __future__ import annotations

import math

import numpy as np

from s2sad.ir.core import Literal, Operand
from s2sad.ir.types import F8, Dtype
from s2sad.machine.arithmetic import Numbers, Rule, arithmetic, choose, compare, negative
from s2sad.machine.conversions import C16, convert, truth
from s2sad.machine.functions import call_c, intrinsic
from s2sad.machine.parts import joined, parts
from s2sad.machine.writer import Number, Writer, constant, kind_of

OF_C = {
    **{name: f"c{name}" for name in ("log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "arcsin": "casin", "arccos": "cacos", "arctan": "catan",
    "arcsinh": "casinh", "arccosh": "cacosh", "arctanh": "catanh",
}  # fmt: skip
NAN = complex(math.nan, math.nan)
LARGE = 709.0  # exp of more may be infinite
LOGARITHMS = {"log2": 1.0 / math.log(2.0), "log10": 1.0 / math.log(10.0)}

with np.errstate(
    all="ignore"
):  # versions of NumPy differ in whether a power of zero by a complex number is zero
    ZERO_TO_COMPLEX = bool(np.power(np.complex128(0), 1.0 + 1.0j) == 0.0)


def complex_rule(name: str) -> Rule | None:
    """Return the rule of an operation of which an operand or the result is complex."""
    if name in OF_C:
        return lambda w, args, dtype: _of_c(w, OF_C[name], args, dtype)
    if name in LOGARITHMS:
        return lambda w, args, dtype: _scaled(
            w, _of_c(w, "clog", args, C16), constant(LOGARITHMS[name], F8), dtype
        )
    return RULES.get(name)


def _of_c(w: Writer, symbol: str, args: Numbers, dtype: Dtype) -> Number:
    """Return a function of the C library, which takes and returns parts in registers."""
    kind = kind_of(C16)
    flat = [p for z in args for p in parts(w, convert(w, z, C16))]
    w.module.declare(kind, symbol, *["double"] * len(flat), attributes="nounwind memory(none)")
    given = ", ".join(f"double {p.text}" for p in flat)
    return convert(w, Number(w.value(f"call {kind} @{symbol}({given})"), C16), dtype)


def _scaled(w: Writer, z: Number, factor: Number, dtype: Dtype) -> Number:
    real, imag = (arithmetic(w, "multiply", (p, factor), F8) for p in parts(w, z))
    return convert(w, joined(w, real, imag), dtype)


def _part(k: int) -> Rule:
    def rule(w: Writer, args: Numbers, dtype: Dtype) -> Number:
        return convert(w, parts(w, args[0])[k], dtype)

    return rule


def _conjugate(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    real, imag = parts(w, convert(w, args[0], dtype))
    return joined(w, real, negative(w, (imag,), imag.dtype))


def _absolute(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    real, imag = parts(w, args[0])
    return convert(w, call_c(w, "hypot", (real, imag), real.dtype), dtype)


def _divide(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    """Return a quotient by Smith's method (1962, Algorithm 116, Communications of the ACM 5), as NumPy."""
    x, y = (convert(w, a, dtype) for a in args)
    (a, b), (c, d) = parts(w, x), parts(w, y)
    part, kind = c.dtype, kind_of(c.dtype)

    def do(word: str, p: Number, q: Number) -> Number:
        return Number(w.value(f"{word} {kind} {p.text}, {q.text}"), part)

    sizes = tuple(intrinsic(w, "fabs", (p,)) for p in (c, d))
    real_leads = compare(w, "greater_equal", sizes)
    large, small = choose(w, real_leads, c, d), choose(w, real_leads, d, c)
    ratio = do("fdiv", small, large)
    scale = do("fdiv", constant(1, part), do("fadd", large, do("fmul", small, ratio)))
    first, second = choose(w, real_leads, a, b), choose(w, real_leads, b, a)
    real = do("fadd", first, do("fmul", second, ratio))
    imag = choose(w, real_leads, do("fsub", b, do("fmul", a, ratio)), do("fsub", do("fmul", b, ratio), a))
    found = joined(w, do("fmul", real, scale), do("fmul", imag, scale))
    by_zero = joined(w, do("fdiv", a, sizes[0]), do("fdiv", b, sizes[0]))
    return choose(w, truth(w, y), found, by_zero)


def _square(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    return arithmetic(w, "multiply", (args[0], args[0]), dtype)


def _reciprocal(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    """Return 1 / z, of zero not a number, as NumPy has it."""
    found = _divide(w, (constant(1, dtype), args[0]), dtype)
    return choose(w, truth(w, args[0]), found, constant(NAN, dtype))


def _power(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    """Return a power, of zero and to the power zero as NumPy has it."""
    x, y = (convert(w, a, C16) for a in args)
    real, imag = parts(w, y)
    known = compare(w, "greater", (real, constant(0, F8)))
    if not ZERO_TO_COMPLEX:
        known = w.value(f"and i1 {known}, {compare(w, 'equal', (imag, constant(0, F8)))}")
    of_zero = choose(w, known, constant(0, C16), constant(NAN, C16))
    found = choose(w, truth(w, x), _of_c(w, "cpow", (x, y), C16), of_zero)
    return convert(w, choose(w, truth(w, y), found, constant(1, C16)), dtype)


def small_power(w: Writer, exponent: Operand, x: Number, dtype: Dtype) -> Number | None:
    """Return a power by a small whole number as products; None for another exponent."""
    if not isinstance(exponent, Literal) or exponent.value not in range(5):
        return None
    z = convert(w, x, dtype)
    found = constant(1, dtype)
    for k in range(int(exponent.value.real)):
        found = arithmetic(w, "multiply", (found, z), dtype) if k else z
    return found


def _exp(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    """Return an exponential by functions of reals, which LLVM can vectorise. A large exp(x) is two factors,
    for it may be too large where the product is not; of infinities holds what C says."""
    x, y = parts(w, convert(w, args[0], C16))
    zero, infinity = constant(0.0, F8), constant(math.inf, F8)
    is_large = compare(w, "greater", (x, constant(LARGE, F8)))
    first = call_c(w, "exp", (choose(w, is_large, _times(w, x, constant(0.5, F8)), x),), F8)
    second = choose(w, is_large, first, constant(1.0, F8))
    turn = [call_c(w, name, (y,), F8) for name in ("cos", "sin")]
    real, imag = (_times(w, _times(w, first, t), second) for t in turn)
    imag = choose(w, compare(w, "equal", (y, zero)), y, imag)
    open_end = w.value(f"fcmp uno double {turn[0].text}, {turn[0].text}")
    for end, found in ((infinity, infinity), (constant(-math.inf, F8), zero)):
        known = w.value(f"and i1 {open_end}, {compare(w, 'equal', (x, end))}")
        real = choose(w, known, found, real)
        imag = imag if found is infinity else choose(w, known, found, imag)
    return convert(w, joined(w, real, imag), dtype)


def _times(w: Writer, a: Number, b: Number) -> Number:
    return Number(w.value(f"fmul double {a.text}, {b.text}"), F8)


def _exp2(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    scaled = _scaled(w, convert(w, args[0], C16), constant(math.log(2.0), F8), C16)
    return _exp(w, (scaled,), dtype)


def _expm1(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    """Return exp(z) - 1 without the cancellation at small z."""
    x, y = parts(w, convert(w, args[0], C16))
    sine = call_c(w, "sin", (arithmetic(w, "multiply", (y, constant(0.5, F8)), F8),), F8)
    less_one = call_c(w, "expm1", (x,), F8)
    cosine = call_c(w, "cos", (y,), F8)
    twice = arithmetic(w, "multiply", (sine, arithmetic(w, "add", (sine, sine), F8)), F8)
    real = arithmetic(w, "subtract", (arithmetic(w, "multiply", (less_one, cosine), F8), twice), F8)
    imag = arithmetic(w, "multiply", (call_c(w, "exp", (x,), F8), call_c(w, "sin", (y,), F8)), F8)
    return convert(w, joined(w, real, imag), dtype)


def _log1p(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    x, y = parts(w, convert(w, args[0], C16))
    moved = arithmetic(w, "rounded_add", (x, constant(1, F8)), F8)
    size = call_c(w, "hypot", (moved, y), F8)
    angle = call_c(w, "atan2", (y, moved), F8)
    return convert(w, joined(w, call_c(w, "log", (size,), F8), angle), dtype)


def _rint(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    return joined(w, *(intrinsic(w, "rint", (p,)) for p in parts(w, convert(w, args[0], dtype))))


RULES: dict[str, Rule] = {
    "real_part": _part(0),
    "imag_part": _part(1),
    "conjugate": _conjugate,
    "absolute": _absolute,
    "divide": _divide,
    "square": _square,
    "reciprocal": _reciprocal,
    "power": _power,
    "exp": _exp,
    "exp2": _exp2,
    "expm1": _expm1,
    "log1p": _log1p,
    "rint": _rint,
}
