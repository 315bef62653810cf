"""One element of an elementwise op: NumPy's dtype semantics spelled out on scalars.

Under Numba a float32 times a Python float is a float64 and small ints grow; so operands are cast to
the dtype of NumPy's inner loop, and results that Numba would widen are cast back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from s2sad.ir.builder import Sizes, infer
from s2sad.ir.core import Literal, Operand
from s2sad.ir.op import Op
from s2sad.ir.size import Size
from s2sad.ir.types import Dtype, Scalar, sample
from s2sad.lowering.code import ZERO, Code
from s2sad.lowering.ops import conversion
from s2sad.ops.table import OPS

I64, U64 = np.dtype(np.int64), np.dtype(np.uint64)
WIDE = {np.dtype(name) for name in ("bool", "int64", "float64", "complex128")}
COMPARISONS = {"less", "less_equal", "greater", "greater_equal", "equal", "not_equal"}
STRICT = {"less": "less", "less_equal": "less", "greater": "greater", "greater_equal": "greater"}
LOGICAL = {"logical_and", "logical_or", "logical_xor", "logical_not"}
AS_THEY_ARE = {"isnan", "isfinite", "isinf", "signbit", "to_float", "to_int", "to_bool", "not_"}
ON_BOOLS = {
    "add": "logical_or", "multiply": "logical_and", "maximum": "logical_or", "minimum": "logical_and",
    "fmax": "logical_or", "fmin": "logical_and",
}  # fmt: skip
BY_INT_ZERO = {"floor_divide", "remainder", "fmod", "divmod"}


def convert(code: Code, a: Operand, dtype: Dtype) -> Operand:
    """Return `a` as a scalar of `dtype`, always of that very type."""
    t = a.type
    if t.dtype == dtype and (dtype in WIDE or not (isinstance(t, Scalar) and t.weak)):
        return a
    if isinstance(a, Literal) and dtype.kind == "f" and dtype in WIDE and not isinstance(a.value, complex):
        return Literal(float(a.value))
    return code.op(conversion(dtype), a)


def real_for(code: Code, a: Operand, dtype: Dtype) -> Operand:
    """Return what NumPy converts to `dtype`: of a complex number the real part (it warns), but for bools."""
    return code.op("real_part", a) if a.type.dtype.kind == "c" and dtype.kind in "iuf" else a


def check_real(code: Code, a: Operand) -> None:
    """Append what raises, as Python does, where it has to make a real number of its own complex one."""
    if isinstance(a.type, Scalar) and a.type.weak and a.type.dtype.kind == "c":
        code.fail_if(Literal(True), TypeError, "must be real number, not complex")


def check_fits(code: Code, a: Operand, dtype: Dtype) -> None:
    """Append what raises, as Python does, where a float has no integer of this type."""
    limits: np.iinfo[Any] = np.iinfo(dtype.name)
    if a.type.dtype.kind != "f" or (isinstance(a, Literal) and abs(a.value) < limits.max):
        return
    code.fail_if(code.op("isnan", a), ValueError, "cannot convert float NaN to integer")
    above = code.op("greater_equal", a, Literal(float(limits.max) + (limits.bits < 64)))
    lowest = Literal(float(limits.min) - (limits.bits < 64))
    below = code.op("less_equal" if limits.bits < 64 else "less", a, lowest)
    too_large = f"cannot convert float to integer: it is infinite, or too large for {dtype.name}"
    code.fail_if(code.op("either", above, below), OverflowError, too_large)


def promote(code: Code, a: Operand, dtype: Dtype) -> Operand:
    """Return `a` cast to `dtype` where arithmetic would not do so by itself, in Numba as in Python."""
    kind = a.type.dtype.kind
    if isinstance(a, Literal):
        return convert(code, a, dtype)
    if dtype in WIDE and dtype.kind in "fc" and kind in "iuf" and a.type.dtype.itemsize >= 4:
        return a
    if dtype == np.dtype(np.int64) and kind in "iu":
        return a
    return convert(code, a, dtype)


def element(
    code: Code,
    op: Op,
    args: tuple[Operand, ...],
    dtype: Dtype,
    params: dict[str, Any],
    given: tuple[Operand, ...] | None = None,
) -> Operand:
    """Return op applied to scalars, as an element of a result of `dtype`. `given`: what they are elements of,
    if that may say more of their types: an element of `np.full(n, 0.1)` is a literal."""
    name = op.name
    if name in ("where", "where0"):
        return select(code, args[0], args[1], args[2], dtype)
    if name in COMPARISONS:
        return _compare(code, name, args, given or args)
    if name in LOGICAL:
        return code.op(name, *(convert(code, a, np.dtype(bool)) for a in args), **params)
    if (
        name in AS_THEY_ARE
        or name.startswith("special_eval_")
        or (name == "absolute" and args[0].type.dtype.kind == "c")
    ):
        return code.op(name, *args, **params)
    if dtype.kind == "b" and name == "absolute":
        return args[0]
    if dtype.kind == "b" and name in ON_BOOLS:
        return code.op(ON_BOOLS[name], *args)
    if name in BY_INT_ZERO and dtype.kind in "iu":
        _weak_zero_division(code, args, given or args)
    special = SPECIAL.get(name) or OF_INTEGERS.get((name, dtype.kind))
    if special is not None:
        return special(code, args, dtype)
    if name == "power":
        return _power(code, args, dtype)
    cast = convert if len(args) == 1 or name not in NATURAL else promote
    if dtype.kind == "b" or dtype.kind not in "biufc":
        return code.op(name, *args, **params)
    wanted = [dtype if op_keeps_dtype(a, dtype) else a.type.dtype for a in args]
    operands = [cast(code, a, d) for a, d in zip(args, wanted, strict=True)]
    if cast is promote and dtype in WIDE and _computed(name, operands) != dtype:  # np.add(x, y, dtype=...)
        operands = [convert(code, a, d) for a, d in zip(args, wanted, strict=True)]
    return narrow(code, code.op(name, *operands, **params), dtype)


def _computed(name: str, operands: Sequence[Operand]) -> Dtype:
    """Return the dtype in which arithmetic is done on scalars."""
    return infer(OPS[name], tuple(a.type for a in operands), {}, Sizes())[0].dtype


def _heaviside(code: Code, args: tuple[Operand, ...], dtype: Dtype) -> Operand:
    x, middle = (convert(code, a, dtype) for a in args)
    zero = convert(code, Literal(0.0), dtype)
    sign = select(code, code.op("greater", x, zero), Literal(1.0), zero, dtype)
    at_zero = select(code, code.op("equal", x, zero), middle, sign, dtype)
    return select(code, code.op("isnan", x), x, at_zero, dtype)


def _clip(code: Code, args: tuple[Operand, ...], dtype: Dtype) -> Operand:
    if dtype == U64:  # bounds below 0 bound nothing
        args = (args[0], *(code.op("maximum", b, ZERO) if b.type.dtype.kind == "i" else b for b in args[1:]))
    inner = I64 if dtype.kind in "iu" and dtype != U64 else dtype  # bounds may be outside of the dtype
    x, lo, hi = (convert(code, a, inner) for a in args)
    return convert(code, code.op("minimum", code.op("maximum", x, lo), hi), dtype)


def _unsigned_sign(code: Code, args: tuple[Operand, ...], dtype: Dtype) -> Operand:
    return select(code, code.op("greater", args[0], ZERO), Literal(1), ZERO, dtype)


def _fmod(code: Code, args: tuple[Operand, ...], dtype: Dtype) -> Operand:
    x, y = (convert(code, a, I64) for a in args)
    rest = code.op("remainder", x, y)  # which has the sign of y; that of C has the sign of x
    other = code.op("not_equal", code.op("less", x, ZERO), code.op("less", y, ZERO))
    turned = code.op("both", other, code.op("not_equal", rest, ZERO))
    return convert(code, code.op("select", turned, code.op("subtract", rest, y), rest), dtype)


def _part(name: str) -> Callable[[Code, tuple[Operand, ...], Dtype], Operand]:
    def part(code: Code, args: tuple[Operand, ...], dtype: Dtype) -> Operand:
        (x,) = args
        if x.type.dtype.kind == "c":
            return code.op(f"{name}_part", x)
        return x if name == "real" else convert(code, ZERO, dtype)

    return part


def _phase(code: Code, args: tuple[Operand, ...], dtype: Dtype) -> Operand:
    (z,) = args
    length = code.op("absolute", z)
    is_zero = code.op("equal", length, Literal(0.0))
    return code.op("divide", z, code.op("select", is_zero, Literal(1.0), length))


def _i0(code: Code, args: tuple[Operand, ...], dtype: Dtype) -> Operand:
    return narrow(code, code.op("special_i0", convert(code, args[0], dtype)), dtype)


def _between(code: Code, args: tuple[Operand, ...], dtype: Dtype) -> Operand:
    near = np.result_type(_sample(args[0]), _sample(args[1]))  # in which the gap is rounded
    gap = narrow(code, code.op("subtract", convert(code, args[1], near), convert(code, args[0], near)), near)
    own = args[2].type.dtype if args[2].type.dtype.kind == "f" and not _is_weak(args[2]) else dtype
    rest = narrow(
        code, code.op("subtract", convert(code, Literal(1.0), own), convert(code, args[2], own)), own
    )
    gap, rest = convert(code, gap, dtype), convert(code, rest, dtype)
    a, b, t = (convert(code, x, dtype) for x in args)
    low = code.op("add", a, code.op("multiply", gap, t))
    high = code.op("subtract", b, code.op("multiply", gap, rest))
    return select(code, code.op("greater_equal", t, Literal(0.5)), high, low, dtype)


SPECIAL = {
    "clip": _clip,
    "i0": _i0,
    "between": _between,
    "heaviside": _heaviside,
    "real": _part("real"),
    "imag": _part("imag"),
    "phase": _phase,
}
OF_INTEGERS = {("fmod", "i"): _fmod, ("sign", "u"): _unsigned_sign}
NATURAL = {"add", "subtract", "multiply", "divide"}


def op_keeps_dtype(a: Operand, dtype: Dtype) -> bool:
    """True if NumPy's loop for a result of `dtype` takes the operand as `dtype`."""
    return not (a.type.dtype.kind == "c" and dtype.kind != "c") and not (
        a.type.dtype.kind == "f" and dtype.kind in "iu"
    )


def narrow(code: Code, a: Operand, dtype: Dtype) -> Operand:
    """Return a result cast back to a dtype that Numba's arithmetic does not keep."""
    if dtype in WIDE:
        return a
    return code.op(conversion(dtype), a) if dtype.kind in "iu" or dtype.itemsize < 4 else a


def select(code: Code, condition: Operand, a: Operand, b: Operand, dtype: Dtype) -> Operand:
    """Return `a if condition else b`, both as `dtype`."""
    a, b = convert(code, a, dtype), convert(code, b, dtype)
    if _is_weak(a) != _is_weak(b):
        a, b = (code.coerce(x, Scalar(dtype)) for x in (a, b))
    return code.op("select", condition, a, b)


def _compare(code: Code, name: str, args: tuple[Operand, ...], given: tuple[Operand, ...]) -> Operand:
    kinds = "".join(a.type.dtype.kind for a in given)
    if kinds.strip("iub") == "" and kinds != "bb":
        return _compare_ints(code, name, *args)
    with np.errstate(all="ignore"):
        common = np.result_type(*(_sample(a) for a in given))
    if common.kind == "b":
        return code.op(name, *args)
    if common.kind == "c" and name in STRICT:
        return _in_order(code, name, *(convert(code, a, common) for a in args))
    cast = convert if any(isinstance(a, Literal) or _is_weak(a) for a in args) else promote
    return code.op(name, *(cast(code, a, common) for a in args))


def _compare_ints(code: Code, name: str, a: Operand, b: Operand) -> Operand:
    """Return a comparison of integers, which is that of their values, whatever their types."""
    signed = [x.type.dtype.kind == "i" for x in (a, b)]
    if not any(x.type.dtype == U64 for x in (a, b)):
        return code.op(name, *(convert(code, x, I64) for x in (a, b)))
    found = code.op(name, *(convert(code, x, U64) for x in (a, b)))
    if not any(signed):
        return found
    s = b if signed[1] else a
    is_negative: Operand = Literal(s.value.real < 0) if isinstance(s, Literal) else code.op("less", s, ZERO)
    below = name in (("greater", "greater_equal") if signed[1] else ("less", "less_equal"))
    if name == "not_equal" or below:
        return code.op("either", is_negative, found)
    return code.op("both", code.op("not_", is_negative), found)


def _in_order(code: Code, name: str, a: Operand, b: Operand) -> Operand:
    """Return whether complex numbers are in order, which is that of the real parts first."""
    real, imag = ([code.op(f"{part}_part", z) for z in (a, b)] for part in ("real", "imag"))
    known = code.op("not_", code.op("either", *(code.op("isnan", y) for y in imag)))
    first = code.op("both", code.op(STRICT[name], *real), known)
    second = code.op("both", code.op("equal", *real), code.op(name, *imag))
    return code.op("either", first, second)


def _sample(a: Operand) -> Any:
    return a.value if isinstance(a, Literal) else sample(Scalar(a.type.dtype, _is_weak(a)))


def _is_weak(a: Operand) -> bool:
    return isinstance(a.type, Scalar) and a.type.weak


def _power(code: Code, args: tuple[Operand, ...], dtype: Dtype) -> Operand:
    a, b = args
    if dtype.kind in "iu":
        if not code.is_at_least(b, Size()):
            code.fail_if(
                code.op("less", b, ZERO), ValueError, "Integers to negative integer powers are not allowed."
            )
        result = code.op("power", convert(code, a, dtype), convert(code, b, dtype))
        return narrow(code, result, dtype)
    exponent = b
    if not (isinstance(b, Literal) and float(b.value.real).is_integer() and abs(b.value) <= 4):
        exponent = convert(code, b, dtype)
    elif not isinstance(b.value, complex):
        exponent = Literal(abs(int(b.value)))  # a small constant power is a product
        if b.value < 0:  # Numba raises where a negative one divides by zero
            product = _power(code, (a, exponent), dtype)
            if dtype.kind == "c":  # of zero it is not a number, which 1 / 0j is not
                return code.op("reciprocal", product)
            return code.op("divide", convert(code, Literal(1.0), dtype), product)
    return code.op("power", convert(code, a, dtype), exponent)


def check_division(code: Code, name: str, args: tuple[Operand, ...], given: tuple[Operand, ...]) -> None:
    """Append what raises, as Python does, where a float of its own is divided by zero."""
    kinds = {a.type.dtype.kind for a in given}
    if "c" in kinds or (name != "divide" and kinds <= {"i", "b"}):
        return
    a, b = args
    if name != "power":
        if not code.is_at_least(b, Size.of(1)) and not (isinstance(b, Literal) and b.value):
            code.fail_if(code.op("equal", b, ZERO), ZeroDivisionError, "division by zero")
    elif not (isinstance(b, Literal) and b.value.real >= 0) and not (isinstance(a, Literal) and a.value):
        is_zero = code.op("equal", a, ZERO)
        if not isinstance(b, Literal):
            is_zero = code.op("both", is_zero, code.op("less", b, ZERO))
        code.fail_if(is_zero, ZeroDivisionError, "0.0 cannot be raised to a negative power")


def _weak_zero_division(code: Code, args: tuple[Operand, ...], given: tuple[Operand, ...]) -> None:
    divisor = args[1]
    if not all(map(_is_weak, given)) or code.is_at_least(divisor, Size.of(1)):
        return
    if isinstance(divisor, Literal) and divisor.value:
        return
    code.fail_if(code.op("equal", divisor, ZERO), ZeroDivisionError, "integer division or modulo by zero")
