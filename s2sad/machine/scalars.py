"""Operations on scalars. Operands are cast to the dtype of the result, as NumPy's loops do."""

from __future__ import annotations

import math
from collections.abc import Callable

from s2sad.ir.core import Instr, Literal
from s2sad.ir.types import BOOL, INT, Dtype, Scalar
from s2sad.machine.arithmetic import (
    ARITHMETIC,
    COMPARISONS,
    Numbers,
    Rule,
    absolute,
    arithmetic,
    choose,
    compare,
    floats,
    negative,
    quotient,
)
from s2sad.machine.complexes import complex_rule, small_power
from s2sad.machine.conversions import convert, truth
from s2sad.machine.division import floor_divide, fmod, remainder
from s2sad.machine.functions import OF_C, call_c, intrinsic
from s2sad.machine.parts import parts
from s2sad.machine.special import call_special
from s2sad.machine.writer import NotHere, Number, Writer, constant, kind_of
from s2sad.ops.special import PREFIX

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
        return arithmetic(w, name, args, dtype)
    if name in COMPARISONS:
        return Number(compare(w, name, args), BOOL)
    if name in CASTS or name in ("to_" + str(dtype), "to_bool_", "to_complex"):
        return convert(w, args[0], dtype)
    if "c" in (dtype.kind, *(a.dtype.kind for a in args)):
        return _of_complex(w, name, instr, args, dtype)
    if name == "power":
        return _power(w, instr, args, dtype)
    if name == "round":
        return _rounded(w, args[0], int(instr.param("decimals", 0)), dtype)
    if name in OF_LLVM:
        if name in SAME_FOR_INTS and dtype.kind in "iub":
            return convert(w, args[0], dtype)
        return intrinsic(w, OF_LLVM[name], floats(w, args, dtype))
    if name in TO_INT:
        (x,) = args
        return convert(w, intrinsic(w, TO_INT[name], (x,)) if x.dtype.kind == "f" else x, dtype)
    if name in OF_C:
        return call_c(w, OF_C[name], floats(w, args, dtype), dtype)
    if name in SCALED:
        (x,) = floats(w, args, dtype)
        return arithmetic(w, "multiply", (x, constant(SCALED[name], dtype)), dtype)
    if name.startswith(PREFIX):
        return call_special(w, name.removeprefix(PREFIX), args, dtype)
    rule = RULES.get(name)
    if rule is None or (name in ("left_shift", "right_shift") and _may_raise(instr)):
        raise NotHere(f"the operation {name}")
    return rule(w, args, dtype)


def _of_complex(w: Writer, name: str, instr: Instr, args: Numbers, dtype: Dtype) -> Number:
    """Return the result of an operation of which an operand or the result is complex."""
    if name in OF_ANY_KIND:
        return RULES[name](w, args, dtype)
    if name in TESTS:
        word, test = TESTS[name]
        real, imag = (test(w, p) for p in parts(w, args[0]))
        return Number(w.value(f"{word} i1 {real}, {imag}"), BOOL)
    if name == "power":
        found = small_power(w, instr.args[1], args[0], dtype)
        if found is not None:
            return found
    rule = complex_rule(name)
    if rule is None:
        raise NotHere(f"the operation {name} of complex numbers")
    return rule(w, args, dtype)


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
    (a,) = floats(w, (x,), dtype)
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


def _log_of_sum(base: str) -> Rule:
    """Return the rule of the logarithm of a sum of two powers, given by their logarithms: the larger one, and
    what the smaller one adds to that."""

    def rule(w: Writer, args: Numbers, dtype: Dtype) -> Number:
        a, b = floats(w, args, dtype)
        gap = arithmetic(w, "subtract", (a, b), dtype)
        below = negative(w, (absolute(w, (gap,), dtype),), dtype)
        if base == "e":
            more = call_c(w, "log1p", (call_c(w, "exp", (below,), dtype),), dtype)
        else:
            more = call_c(w, "log1p", (call_c(w, "exp2", (below,), dtype),), dtype)
            more = arithmetic(w, "multiply", (more, constant(1.0 / math.log(2.0), dtype)), dtype)
        larger = choose(w, compare(w, "greater", (a, b)), a, b)
        equal = constant(math.log(2.0) if base == "e" else 1.0, dtype)
        # infinities have no gap
        more = choose(w, compare(w, "equal", (a, b)), equal, more)
        return arithmetic(w, "add", (larger, more), dtype)

    return rule


def _square(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    return arithmetic(w, "multiply", (args[0], args[0]), dtype)


def _reciprocal(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    return quotient(w, (constant(1, dtype), args[0]), dtype)


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
        return arithmetic(w, "multiply", (a, b), x.dtype)

    if k == 0:
        return constant(1, x.dtype)
    square = product(x, x) if abs(k) > 1 else x
    found = {1: x, 2: square}.get(abs(k))
    if found is None:
        found = product(square, x if abs(k) == 3 else square)
    return found if k > 0 else _reciprocal(w, (found,), x.dtype)


OF_ANY_KIND = ("select", "negative", "logical_and", "logical_or", "logical_xor", "logical_not", "not_")
TESTS = {
    "isnan": ("or", _is_nan),
    "isinf": ("or", _against_infinity("oeq")),
    "isfinite": ("and", _against_infinity("olt")),
}
RULES: dict[str, Rule] = {
    "divide": quotient,
    "negative": negative,
    "absolute": absolute,
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
    "floor_divide": floor_divide,
    "remainder": remainder,
    "fmod": fmod,
    "logaddexp": _log_of_sum("e"),
    "logaddexp2": _log_of_sum("2"),
}
