"""Division of whole numbers, and what goes with it: quotients rounded down, remainders."""

from __future__ import annotations

from s2sad.ir.types import BOOL, Dtype
from s2sad.machine.arithmetic import Numbers, choose, compare, floats, negative
from s2sad.machine.conversions import convert
from s2sad.machine.functions import intrinsic
from s2sad.machine.writer import NotHere, Number, Writer, constant, kind_of


def floor_divide(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    """Return a quotient rounded down."""
    if dtype.kind == "f":
        return _floored(w, *floats(w, args, dtype))
    return _whole(w, args, dtype)[0]


def remainder(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    """Return a remainder with the divisor's sign."""
    if dtype.kind == "f":
        return _modulo(w, *floats(w, args, dtype))
    return _whole(w, args, dtype)[1]


def _whole(w: Writer, args: Numbers, dtype: Dtype) -> tuple[Number, Number]:
    """Return quotient and remainder of ints; both 0 for a divisor of 0, as of NumPy's arrays."""
    if dtype == BOOL:
        raise NotHere("arithmetic of truth values")
    a, b = (convert(w, x, dtype) for x in args)
    kind, zero, one = kind_of(dtype), constant(0, dtype), constant(1, dtype)
    is_zero = compare(w, "equal", (b, zero))
    if dtype.kind == "u":
        safe = choose(w, is_zero, one, b).text
        quotient = Number(w.value(f"udiv {kind} {a.text}, {safe}"), dtype)
        rest = Number(w.value(f"urem {kind} {a.text}, {safe}"), dtype)
        return choose(w, is_zero, zero, quotient), choose(w, is_zero, zero, rest)
    # the least number over -1 is an overflow: it is its own negative
    minus = compare(w, "equal", (b, constant(-1, dtype)))
    special = w.value(f"or i1 {is_zero}, {minus}")
    safe = choose(w, special, one, b).text
    quotient = Number(w.value(f"sdiv {kind} {a.text}, {safe}"), dtype)
    rest = Number(w.value(f"srem {kind} {a.text}, {safe}"), dtype)
    unlike = w.value(f"icmp slt {kind} {w.value(f'xor {kind} {rest.text}, {safe}')}, 0")
    down = w.value(f"and i1 {unlike}, {compare(w, 'not_equal', (rest, zero))}")
    less = Number(w.value(f"sub {kind} {quotient.text}, 1"), dtype)
    quotient = choose(w, down, less, quotient)
    rest = choose(w, down, Number(w.value(f"add {kind} {rest.text}, {safe}"), dtype), rest)
    quotient = choose(w, minus, negative(w, (a,), dtype), quotient)
    return choose(w, is_zero, zero, quotient), choose(w, special, zero, rest)


def _frem(w: Writer, a: Number, b: Number) -> Number:
    return Number(w.value(f"frem {kind_of(a.dtype)} {a.text}, {b.text}"), a.dtype)


def _modulo(w: Writer, a: Number, b: Number) -> Number:
    """Return the remainder with the divisor's sign, as NumPy computes it."""
    kind, zero = kind_of(a.dtype), constant(0, a.dtype)
    rest = _frem(w, a, b)
    unlike = w.value(f"xor i1 {compare(w, 'less', (b, zero))}, {compare(w, 'less', (rest, zero))}")
    moved = Number(w.value(f"fadd {kind} {rest.text}, {b.text}"), a.dtype)
    found = choose(w, unlike, moved, rest)
    at_zero = intrinsic(w, "copysign", (zero, b))
    found = choose(w, compare(w, "equal", (rest, zero)), at_zero, found)
    return choose(w, compare(w, "equal", (b, zero)), rest, found)


def _floored(w: Writer, a: Number, b: Number) -> Number:
    """Return the quotient rounded down, as NumPy computes it: from the remainder with the dividend's sign."""
    kind, zero, one = kind_of(a.dtype), constant(0, a.dtype), constant(1, a.dtype)
    ratio = Number(w.value(f"fdiv {kind} {a.text}, {b.text}"), a.dtype)
    rest = _frem(w, a, b)
    over = w.value(f"fsub {kind} {a.text}, {rest.text}")
    quotient = Number(w.value(f"fdiv {kind} {over}, {b.text}"), a.dtype)
    unlike = w.value(f"xor i1 {compare(w, 'less', (b, zero))}, {compare(w, 'less', (rest, zero))}")
    down = w.value(f"and i1 {unlike}, {compare(w, 'not_equal', (rest, zero))}")
    less = Number(w.value(f"fsub {kind} {quotient.text}, {one.text}"), a.dtype)
    quotient = choose(w, down, less, quotient)
    whole = intrinsic(w, "floor", (quotient,))
    gap = Number(w.value(f"fsub {kind} {quotient.text}, {whole.text}"), a.dtype)
    up = Number(w.value(f"fadd {kind} {whole.text}, {one.text}"), a.dtype)
    found = choose(w, compare(w, "greater", (gap, constant(0.5, a.dtype))), up, whole)
    at_zero = intrinsic(w, "copysign", (zero, ratio))
    found = choose(w, compare(w, "equal", (quotient, zero)), at_zero, found)
    return choose(w, compare(w, "equal", (b, zero)), ratio, found)


def fmod(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    """Return a remainder with the dividend's sign."""
    if dtype.kind == "f":
        return _frem(w, *floats(w, args, dtype))
    raise NotHere("fmod of ints")
