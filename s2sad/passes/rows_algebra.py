"""Rewrites of arithmetic. All are exact in floating point, nan, inf and -0.0 included, unless `why`
says otherwise. Not here, because they are not: `x * 0 -> 0`, `x - x -> 0`, `x / x -> 1`."""

from __future__ import annotations

import math

import numpy as np

from s2sad.ir.core import Literal, Operand, Value
from s2sad.ir.types import F8, Scalar
from s2sad.passes.site import Answer, Made, Row, Site, is_int, is_number, is_weak, same_type

# --- neutral elements ---------------------------------------------------------------------------


def _same(site: Site, a: Operand) -> Answer:
    return a if site.type.dtype.kind in "iuf" and same_type(a.type, site.type) else None


def _times_one(site: Site) -> Answer:
    left, right = site.args
    if not _is_one(site, right):
        left, right = right, left
    if not _is_one(site, right):
        return None
    if is_weak(left) and not is_weak(site.instr.result) and site.type.dtype == np.float64:
        return Made("widen", (left,), params=(("type", site.type),))
    if site.instr.role == "reverse" and same_type(left.type, site.type):  # of complex numbers, too
        return left
    return _same(site, left)


def _is_one(site: Site, a: Operand) -> bool:
    made = site.definer(a, "widen", "cast")  # the seed of a gradient
    return is_number(a, 1) or (made is not None and is_number(made.args[0], 1))


def _right_one(site: Site) -> Answer:
    return _same(site, site.args[0]) if is_number(site.args[1], 1) else None


def _plus_zero(site: Site) -> Answer:
    left, right = site.args
    if site.type.dtype.kind == "f" and site.instr.role != "reverse":
        return None
    if is_number(right, 0):
        return _same(site, left)
    return _same(site, right) if is_number(left, 0) else None


def _minus_zero(site: Site) -> Answer:
    left, right = site.args
    if not isinstance(right, Literal) or isinstance(right.value, complex) or not is_number(right, 0):
        return None
    return _same(site, left) if math.copysign(1.0, right.value) > 0 else None


def _positive(site: Site) -> Answer:
    return site.args[0] if same_type(site.args[0].type, site.type) else None


# --- numbers ------------------------------------------------------------------------------------


def _fold(site: Site) -> Answer:
    """Compute what has only numbers as operands, unless its outcome is longer to read than itself."""
    numbers = [a.value for a in site.args if isinstance(a, Literal)]
    t = site.type
    if len(numbers) < len(site.args) or not (isinstance(t, Scalar) and t.weak):
        return None
    if site.instr.op.name == "power" and max(map(abs, numbers)) > 64:
        return None
    try:
        value = site.instr.op.evaluate(*numbers)
    except (ArithmeticError, ValueError, TypeError):
        return None
    if not isinstance(value, bool | int | float) or not abs(value) < 2**63:
        return None
    if len(repr(value)) > sum(len(repr(n)) for n in numbers) + 3:
        return None
    return Literal(value)


def _fold_scalars(site: Site) -> Answer:
    """Compute what has only numbers as operands that stand for NumPy's of double precision."""
    if not isinstance(site.type, Scalar) or site.type.weak or site.type.dtype != F8:
        return None
    numbers = []
    for a in site.args:
        made = site.definer(a, "widen") if isinstance(a, Value) else None
        number = made.args[0] if made is not None else a
        if not isinstance(number, Literal) or not isinstance(number.value, int | float):
            return None
        numbers.append(float(number.value))
    try:
        value = float(site.instr.op.evaluate(*numbers))
    except ArithmeticError:
        return None
    if not math.isfinite(value) or len(repr(value)) > sum(len(repr(n)) for n in numbers) + 3:
        return None
    return Made("widen", (Literal(value),), params=(("type", Scalar(F8)),))


def _known_int(site: Site) -> Answer:
    t = site.type
    if is_int(t) and isinstance(t, Scalar) and t.weak and t.size is not None and t.size.is_const:
        return Literal(t.size.const)
    return None


def _number_converted(site: Site) -> Answer:
    """A number that was made a NumPy scalar and is made a Python number again."""
    inner = site.definer(site.args[0], "widen", "cast")
    number = inner.args[0] if inner is not None else None
    if not isinstance(number, Literal) or site.type.dtype.kind != number.type.dtype.kind:
        return None
    exact = inner is not None and inner.result.type.dtype == number.type.dtype
    return number if exact and isinstance(site.type, Scalar) and site.type.weak else None


def _number_again(site: Site) -> Answer:
    """Write a Python number as it is where the other operand has its dtype."""
    for k, a in enumerate(site.args):
        made = site.definer(a, "widen")
        if made is None or isinstance(a, Literal):
            continue
        if not isinstance(made.args[0], Literal) and not (is_weak(made.args[0]) and site.near(a, "widen")):
            continue
        if made.args[0].type.dtype != a.type.dtype:
            continue
        others = [b for j, b in enumerate(site.args) if j != k and (j or site.instr.op.name != "where")]
        if any(not is_weak(b) and b.type.dtype == a.type.dtype for b in others):
            args = (*site.args[:k], made.args[0], *site.args[k + 1 :])
            return Made(site.instr.op.name, args, params=site.instr.params)
    return None


def _int_sum(site: Site) -> Answer:
    """Join int constants: (n - 1) + 1 -> n."""
    left, right = site.args
    if not is_int(site.type) or not isinstance(right, Literal) or not isinstance(right.value, int):
        return None
    inner = site.definer(left, "add", "subtract")
    if inner is None or not is_int(inner.result.type):
        return None
    base, first = inner.args
    if (
        not isinstance(first, Literal)
        or not isinstance(first.value, int)
        or not same_type(base.type, site.type)
    ):
        return None
    total = first.value if inner.op.name == "add" else -first.value
    total += right.value if site.instr.op.name == "add" else -right.value
    if total == 0:
        return base
    if inner.result.name:
        return None
    return Made("add" if total > 0 else "subtract", (base, Literal(abs(total))))


def _twice(site: Site) -> Answer:
    """Join two equal products: a * g + a * g -> 2.0 * a * g."""
    left, right = site.args
    if (
        left != right
        or site.type.dtype.kind != "f"
        or (product := site.part(left, "multiply", uses=2)) is None
    ):
        return None
    a, b = product.args
    if isinstance(a, Literal):
        return Made("multiply", (Literal(2.0 * a.value), b))
    if a.type.dtype != site.type.dtype:
        return None
    scaled = site.part(a, "multiply")
    if scaled is not None and isinstance(scaled.args[0], Literal):
        number = Literal(2.0 * scaled.args[0].value)
        return Made("multiply", (Made("multiply", (number, scaled.args[1]), a.type), b))
    return Made("multiply", (Made("multiply", (Literal(2.0), a), a.type), b))


def _inverse(site: Site) -> Answer:
    """Divide rather than multiply by the inverse."""
    if site.instr.role != "reverse" or site.type.dtype.kind != "f":
        return None
    for a, b in (site.args, site.args[::-1]):
        inverse = site.part(a, "divide")
        if inverse is not None and is_number(inverse.args[0], 1) and same_type(b.type, site.type):
            return Made("divide", (b, inverse.args[1]))
    return None


def _powers_of_two(site: Site) -> Answer:
    """Join the factors of 2.0 * (3.0 * x), and those of (2.0 * x) * 0.5."""
    outer, rest = site.args if isinstance(site.args[0], Literal) else site.args[::-1]
    inner = site.part(rest, "multiply")
    if not isinstance(outer, Literal) or inner is None or not isinstance(inner.args[0], Literal):
        return None
    k, m = outer.value, inner.args[0].value
    if not (isinstance(k, int | float) and isinstance(m, int | float)) or rest.type.dtype.kind != "f":
        return None
    if k == 0 or m == 0 or not math.isfinite(k * m):
        return None
    if not (_is_scale(k) and _is_scale(m)) and not (
        (_is_scale(k) or _is_scale(m)) and min(abs(k), abs(m)) >= 1
    ):
        return None
    if k * m == 1 and same_type(inner.args[1].type, site.type):
        return inner.args[1]
    return Made("multiply", (Literal(k * m), inner.args[1]))


def _is_scale(k: float) -> bool:
    return abs(math.frexp(k)[0]) == 0.5


ARITHMETIC = ("add", "subtract", "multiply", "divide", "negative", "power", "floor_divide", "remainder")
ARITHMETIC_OF_TWO = ("add", "subtract", "multiply", "divide", "where")
TESTS = ("not_", "less", "less_equal", "greater", "greater_equal", "equal", "not_equal")
FOLDED = (*ARITHMETIC, *TESTS, "to_float", "to_int")
ALGEBRA = (
    Row(FOLDED, "1 + 2", "3", "what Python computes; not if it raises, overflows or gets long", _fold),
    Row(
        ("add", "subtract", "multiply", "divide", "negative"),
        "np.float64(2.0) * 3.0",
        "np.float64(6.0)",
        "as NumPy computes it",
        _fold_scalars,
    ),
    Row(
        ("size", "add", "subtract", "multiply"), "len of f8[3]", "3", "the size is a known number", _known_int
    ),
    Row(
        ("to_float", "to_int", "widen"), "float(np.float64(0.0))", "0.0", "the same number", _number_converted
    ),
    Row(ARITHMETIC_OF_TWO, "np.float64(2.0) * x", "2.0 * x", "x has that dtype already", _number_again),
    Row(("add", "subtract"), "(n - 1) + 1", "n", "ints are exact", _int_sum),
    Row(("multiply",), "1.0 / n * g", "g / n", "in reverse sweeps: one rounding instead of two", _inverse),
    Row(
        ("multiply",),
        "x * 1, 1 * x",
        "x",
        "exact if kind, dtype and shape stay; of complex ones in reverse sweeps",
        _times_one,
    ),
    Row(
        ("divide", "power"), "x / 1, x ** 1", "x", "exact for reals if kind, dtype and shape stay", _right_one
    ),
    Row(("add",), "x + 0, 0 + x", "x", "ints; floats in reverse sweeps: -0.0 for 0.0", _plus_zero),
    Row(("subtract",), "x - 0", "x", "exact, -0.0 included", _minus_zero),
    Row(("positive",), "+x", "x", "the same numbers", _positive),
    Row(("add",), "a * g + a * g", "2.0 * a * g", "doubling is exact short of overflow", _twice),
    Row(
        ("multiply",),
        "2.0 * (3.0 * x)",
        "6.0 * x",
        "scaling up by 2 is exact short of overflow",
        _powers_of_two,
    ),
)
