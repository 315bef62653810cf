"""Operations on scalars. Operands are cast to the dtype of the result, as NumPy's loops do."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from s2sad.ir.core import Instr, Literal
from s2sad.ir.types import BOOL, INT, Dtype, Scalar
from s2sad.machine.conversions import convert, truth
from s2sad.machine.functions import OF_C, call_c, intrinsic
from s2sad.machine.writer import NotHere, Number, Writer, constant, kind_of

Numbers = Sequence[Number]
Rule = Callable[[Writer, Numbers, Dtype], Number]

CONTRACT = "contract "
ANY_ORDER = "reassoc nsz contract "
ARITHMETIC = {
    "add": ("fadd " + CONTRACT, "add"),
    "subtract": ("fsub " + CONTRACT, "sub"),
    "multiply": ("fmul " + CONTRACT, "mul"),
    "any_order_add": ("fadd " + ANY_ORDER, "add"),
    "any_order_sub": ("fsub " + ANY_ORDER, "sub"),
    "rounded_add": ("fadd ", "add"),
    "rounded_sub": ("fsub ", "sub"),
}
COMPARISONS = {
    "less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge",
    "equal": "eq", "not_equal": "ne",
}  # fmt: skip
TURNED = {
    "less": "greater", "less_equal": "greater_equal", "greater": "less", "greater_equal": "less_equal",
}  # fmt: skip
OF_LLVM = {
    "sqrt": "sqrt", "math_sqrt": "sqrt", "floor": "floor", "ceil": "ceil", "trunc": "trunc", "rint": "rint",
    "fabs": "fabs", "math_fabs": "fabs", "copysign": "copysign", "math_copysign": "copysign",
    "fmax": "maxnum", "fmin": "minnum",
}  # fmt: skip
SAME_FOR_INTS = ("floor", "ceil", "trunc", "rint")
TO_INT = {"math_floor": "floor", "math_ceil": "ceil", "math_trunc": "trunc", "round_to_int": "rint"}
CASTS = ("widen", "to_float", "to_int", "to_bool", "stop_gradient", "positive", "as_index", "copy")
SCALED = {
    "math_radians": math.pi / 180.0, "deg2rad": math.pi / 180.0,
    "math_degrees": 180.0 / math.pi, "rad2deg": 180.0 / math.pi,
}  # fmt: skip


def scalar(w: Writer, instr: Instr, args: Numbers) -> Number:
    """Return the result of an operation on scalars."""
    name, dtype = instr.op.name.removeprefix("simd_"), instr.result.type.dtype
    kind_of(dtype)
    if name in ARITHMETIC:
        return _arithmetic(w, name, args, dtype)
    if name in COMPARISONS:
        return Number(compare(w, name, args), BOOL)
    if name in CASTS or name in ("to_" + str(dtype), "to_bool_"):
        return convert(w, args[0], dtype)
    if name == "power":
        return _power(w, instr, args, dtype)
    if name == "round":
        return _rounded(w, args[0], int(instr.param("decimals", 0)), dtype)
    if name in OF_LLVM:
        if name in SAME_FOR_INTS and dtype.kind in "iub":
            return convert(w, args[0], dtype)
        return intrinsic(w, OF_LLVM[name], _floats(w, args, dtype))
    if name in TO_INT:
        (x,) = args
        return convert(w, intrinsic(w, TO_INT[name], (x,)) if x.dtype.kind == "f" else x, dtype)
    if name in OF_C:
        return call_c(w, OF_C[name], _floats(w, args, dtype), dtype)
    if name in SCALED:
        (x,) = _floats(w, args, dtype)
        return _arithmetic(w, "multiply", (x, constant(SCALED[name], dtype)), dtype)
    rule = RULES.get(name)
    if rule is None or (name in ("left_shift", "right_shift") and _may_raise(instr)):
        raise NotHere(f"the operation {name}")
    return rule(w, args, dtype)


def _floats(w: Writer, args: Numbers, dtype: Dtype) -> list[Number]:
    if dtype.kind != "f":
        raise NotHere("functions of other numbers than floats")
    return [convert(w, a, dtype) for a in args]


def _arithmetic(w: Writer, name: str, args: Numbers, dtype: Dtype) -> Number:
    if dtype == BOOL:
        raise NotHere("arithmetic of truth values")
    a, b = (convert(w, x, dtype).text for x in args)
    word = ARITHMETIC[name][0 if dtype.kind == "f" else 1]
    return Number(w.value(f"{word} {kind_of(dtype)} {a}, {b}"), dtype)


def compare(w: Writer, name: str, args: Numbers) -> str:
    """Return whether a comparison holds."""
    dtypes = [a.dtype for a in args]
    common = np.result_type(*dtypes)
    if common.kind == "f" and all(d.kind in "iu" for d in dtypes):
        return _compare_unlike(w, name, *args)
    a, b = (convert(w, x, common).text for x in args)
    word = COMPARISONS[name]
    if common.kind == "f":
        return w.value(f"fcmp {'u' if word == 'ne' else 'o'}{word} {kind_of(common)} {a}, {b}")
    if word not in ("eq", "ne"):
        word = ("s" if common.kind == "i" else "u") + word
    return w.value(f"icmp {word} {kind_of(common)} {a}, {b}")


def _compare_unlike(w: Writer, name: str, a: Number, b: Number) -> str:
    """Return whether a comparison of a large unsigned number with a signed one holds, exactly, as NumPy's."""
    if a.dtype.kind == "i":
        return _compare_unlike(w, TURNED.get(name, name), b, a)
    word, dtype = COMPARISONS[name], a.dtype
    kind, other = kind_of(dtype), convert(w, b, dtype).text
    bits = w.value(f"icmp {word if word in ('eq', 'ne') else 'u' + word} {kind} {a.text}, {other}")
    below = w.value(f"icmp slt {kind_of(b.dtype)} {b.text}, 0")
    if word in ("gt", "ge", "ne"):
        return w.value(f"or i1 {below}, {bits}")
    return w.value(f"and i1 {w.value(f'xor i1 {below}, true')}, {bits}")


def choose(w: Writer, condition: str, a: Number, b: Number) -> Number:
    """Return one of two numbers of one dtype."""
    kind = kind_of(a.dtype)
    return Number(w.value(f"select i1 {condition}, {kind} {a.text}, {kind} {b.text}"), a.dtype)


def _divide(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    a, b = _floats(w, args, dtype)
    return Number(w.value(f"fdiv {CONTRACT}{kind_of(dtype)} {a.text}, {b.text}"), dtype)


def _negative(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    a = convert(w, args[0], dtype)
    if dtype == BOOL:
        raise NotHere("arithmetic of truth values")
    kind = kind_of(dtype)
    text = f"fneg {kind} {a.text}" if dtype.kind == "f" else f"sub {kind} 0, {a.text}"
    return Number(w.value(text), dtype)


def _absolute(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    a = convert(w, args[0], dtype)
    if dtype.kind in "ub":
        return a
    return intrinsic(w, "fabs" if dtype.kind == "f" else "abs", (a,))


def _select(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    return choose(w, truth(w, args[0]), convert(w, args[1], dtype), convert(w, args[2], dtype))


def _extreme(of_floats: str, of_ints: str) -> Rule:
    def rule(w: Writer, args: Numbers, dtype: Dtype) -> Number:
        a, b = (convert(w, x, dtype) for x in args)
        if dtype.kind == "f":
            if not of_floats:
                raise NotHere("Python's max of floats")
            return intrinsic(w, of_floats, (a, b))
        if dtype == BOOL:
            raise NotHere("arithmetic of truth values")
        return intrinsic(w, ("s" if dtype.kind == "i" else "u") + of_ints, (a, b))

    return rule


def _python_extreme(comparison: str) -> Rule:
    def rule(w: Writer, args: Numbers, dtype: Dtype) -> Number:
        a, b = args  # of equal ones, and beside nan, Python's max and min are the first
        return choose(w, compare(w, comparison, (b, a)), convert(w, b, dtype), convert(w, a, dtype))

    return rule


def _logical(word: str) -> Rule:
    def rule(w: Writer, args: Numbers, dtype: Dtype) -> Number:
        if dtype != BOOL:
            raise NotHere("`and` and `or` of numbers")
        a, b = (truth(w, x) for x in args)
        return Number(w.value(f"{word} i1 {a}, {b}"), BOOL)

    return rule


def _not(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    return Number(w.value(f"xor i1 {truth(w, args[0])}, true"), BOOL)


def _bitwise(word: str) -> Rule:
    def rule(w: Writer, args: Numbers, dtype: Dtype) -> Number:
        a, b = (convert(w, x, dtype).text for x in args)
        return Number(w.value(f"{word} {kind_of(dtype)} {a}, {b}"), dtype)

    return rule


def _invert(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    ones = "true" if dtype == BOOL else "-1"
    return Number(w.value(f"xor {kind_of(dtype)} {convert(w, args[0], dtype).text}, {ones}"), dtype)


def _rounded(w: Writer, x: Number, decimals: int, dtype: Dtype) -> Number:
    """Return a number to so many decimals, as NumPy computes it."""
    if dtype.kind != "f":
        if decimals < 0 or dtype == BOOL:
            raise NotHere("whole numbers rounded to tens")
        return convert(w, x, dtype)
    (a,) = _floats(w, (x,), dtype)
    if not decimals:
        return intrinsic(w, "rint", (a,))
    scale = constant(10.0 ** abs(decimals), dtype)
    up, down = ("fmul", "fdiv") if decimals > 0 else ("fdiv", "fmul")
    kind = kind_of(dtype)
    moved = Number(w.value(f"{up} {kind} {a.text}, {scale.text}"), dtype)
    return Number(w.value(f"{down} {kind} {intrinsic(w, 'rint', (moved,)).text}, {scale.text}"), dtype)


def _may_raise(shift: Instr) -> bool:
    """True for a shift of Python's ints by a number that may be negative."""
    by = shift.args[1]
    is_python = isinstance(shift.result.type, Scalar) and shift.result.type.weak
    return is_python and not (isinstance(by, Literal) and by.value.real >= 0)


def _shifted(word: str) -> Rule:
    def rule(w: Writer, args: Numbers, dtype: Dtype) -> Number:
        """As of NumPy's arrays: by more than there are bits, all of them go."""
        if dtype == BOOL:
            raise NotHere("arithmetic of truth values")
        a, b = (convert(w, x, dtype) for x in args)
        kind, bits = kind_of(dtype), 8 * dtype.itemsize
        few = w.value(f"icmp ult {kind} {b.text}, {bits}")
        by = choose(w, few, b, constant(bits - 1, dtype)).text
        name = word if word == "shl" else "ashr" if dtype.kind == "i" else "lshr"
        found = Number(w.value(f"{name} {kind} {a.text}, {by}"), dtype)
        keeps_sign = name == "ashr"
        return found if keeps_sign else choose(w, few, found, constant(0, dtype))

    return rule


def _is(test: Callable[[Writer, Number], str], of_ints: bool) -> Rule:
    def rule(w: Writer, args: Numbers, dtype: Dtype) -> Number:
        (a,) = args
        return Number(test(w, a), BOOL) if a.dtype.kind == "f" else constant(of_ints, BOOL)

    return rule


def _is_nan(w: Writer, a: Number) -> str:
    return w.value(f"fcmp uno {kind_of(a.dtype)} {a.text}, {a.text}")


def _against_infinity(word: str) -> Callable[[Writer, Number], str]:
    def test(w: Writer, a: Number) -> str:
        size = intrinsic(w, "fabs", (a,)).text
        return w.value(f"fcmp {word} {kind_of(a.dtype)} {size}, {constant(math.inf, a.dtype).text}")

    return test


def _sign_bit(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    (a,) = args
    if a.dtype.kind != "f":
        return Number(compare(w, "less", (a, constant(0, a.dtype))), BOOL)
    bits = f"i{8 * a.dtype.itemsize}"
    whole = w.value(f"bitcast {kind_of(a.dtype)} {a.text} to {bits}")
    return Number(w.value(f"icmp slt {bits} {whole}, 0"), BOOL)


def _sign(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    a = convert(w, args[0], dtype)
    if dtype == BOOL:
        raise NotHere("arithmetic of truth values")
    zero, one = constant(0, dtype), constant(1, dtype)
    # zeros and nan are themselves
    found = choose(w, compare(w, "greater", (a, zero)), one, a)
    if dtype.kind != "u":
        found = choose(w, compare(w, "less", (a, zero)), constant(-1, dtype), found)
    return choose(w, compare(w, "equal", (a, zero)), zero, found)


def _square(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    return _arithmetic(w, "multiply", (args[0], args[0]), dtype)


def _reciprocal(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    return _divide(w, (constant(1, dtype), args[0]), dtype)


def _outside(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    i, n = (convert(w, x, INT) for x in args)
    below = compare(w, "less", (i, Number(w.value(f"sub i64 0, {n.text}"), INT)))
    above = compare(w, "greater_equal", (i, n))
    return Number(w.value(f"or i1 {below}, {above}"), BOOL)


def _wrap(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    return convert(w, wrapped(w, *(convert(w, x, INT) for x in args)), dtype)


def wrapped(w: Writer, i: Number, n: Number) -> Number:
    """Return an index that may count from the end as one that does not."""
    moved = Number(w.value(f"add i64 {i.text}, {n.text}"), INT)
    return choose(w, compare(w, "less", (i, constant(0, INT))), moved, i)


# --- division of whole numbers, and what goes with it -------------------------------------------


def _floor_divide(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    if dtype.kind == "f":
        return _floored(w, *_floats(w, args, dtype))
    return _whole(w, args, dtype)[0]


def _remainder(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    if dtype.kind == "f":
        return _modulo(w, *_floats(w, args, dtype))
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
    quotient = choose(w, minus, _negative(w, (a,), dtype), quotient)
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


def _fmod(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    if dtype.kind == "f":
        return _frem(w, *_floats(w, args, dtype))
    raise NotHere("fmod of ints")


# --- powers -------------------------------------------------------------------------------------

INT_POWER = """define internal i64 @int_power(i64 %base, i64 %exponent) {
entry:
  br label %loop
loop:
  %b = phi i64 [ %base, %entry ], [ %square, %loop ]
  %e = phi i64 [ %exponent, %entry ], [ %half, %loop ]
  %r = phi i64 [ 1, %entry ], [ %next, %loop ]
  %odd = trunc i64 %e to i1
  %more = mul i64 %r, %b
  %next = select i1 %odd, i64 %more, i64 %r
  %square = mul i64 %b, %b
  %half = lshr i64 %e, 1
  %done = icmp eq i64 %half, 0
  br i1 %done, label %out, label %loop
out:
  ret i64 %next
}"""


def _power(w: Writer, instr: Instr, args: Numbers, dtype: Dtype) -> Number:
    exponent = instr.args[1]
    if isinstance(exponent, Literal) and isinstance(exponent.value, int) and abs(exponent.value) <= 4:
        if dtype.kind == "f":
            return _small_power(w, convert(w, args[0], dtype), exponent.value)
        if dtype.kind in "iu" and exponent.value >= 0:
            return _small_power(w, convert(w, args[0], dtype), exponent.value)
    if dtype.kind == "f":
        return call_c(w, "pow", [convert(w, a, dtype) for a in args], dtype)
    if dtype == BOOL:
        raise NotHere("arithmetic of truth values")
    w.module.helpers["int_power"] = INT_POWER
    base, times = (convert(w, a, INT).text for a in args)
    return convert(w, Number(w.value(f"call i64 @int_power(i64 {base}, i64 {times})"), INT), dtype)


def _small_power(w: Writer, x: Number, k: int) -> Number:
    def product(a: Number, b: Number) -> Number:
        return _arithmetic(w, "multiply", (a, b), x.dtype)

    if k == 0:
        return constant(1, x.dtype)
    square = product(x, x) if abs(k) > 1 else x
    found = {1: x, 2: square}.get(abs(k))
    if found is None:
        found = product(square, x if abs(k) == 3 else square)
    return found if k > 0 else _reciprocal(w, (found,), x.dtype)


RULES: dict[str, Rule] = {
    "divide": _divide,
    "negative": _negative,
    "absolute": _absolute,
    "select": _select,
    "maximum": _extreme("maximum", "max"),
    "minimum": _extreme("minimum", "min"),
    "py_max": _python_extreme("greater"),
    "py_min": _python_extreme("less"),
    "at_least": _extreme("", "max"),
    "at_most": _extreme("", "min"),
    "both": _logical("and"),
    "either": _logical("or"),
    "logical_and": _logical("and"),
    "logical_or": _logical("or"),
    "logical_xor": _logical("xor"),
    "logical_not": _not,
    "not_": _not,
    "bitwise_and": _bitwise("and"),
    "bitwise_or": _bitwise("or"),
    "bitwise_xor": _bitwise("xor"),
    "invert": _invert,
    "left_shift": _shifted("shl"),
    "right_shift": _shifted("shr"),
    **dict.fromkeys(("isnan", "math_isnan"), _is(_is_nan, False)),
    **dict.fromkeys(("isinf", "math_isinf"), _is(_against_infinity("oeq"), False)),
    **dict.fromkeys(("isfinite", "math_isfinite"), _is(_against_infinity("olt"), True)),
    "signbit": _sign_bit,
    "sign": _sign,
    "square": _square,
    "reciprocal": _reciprocal,
    "outside": _outside,
    "wrap": _wrap,
    "floor_divide": _floor_divide,
    "remainder": _remainder,
    "fmod": _fmod,
}
