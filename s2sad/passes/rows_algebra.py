"""Rewrites of arithmetic. All are exact in floating point, nan, inf and -0.0 included, unless `why`
says otherwise. Not here, because they are not: `x * 0 -> 0`, `x - x -> 0`, `x / x -> 1`."""

from __future__ import annotations

import math

from s2sad.ir.core import Literal, Operand
from s2sad.ir.types import Scalar
from s2sad.passes.site import Answer, Made, Row, Site, is_int, is_number, is_weak, same_type

# --- signs --------------------------------------------------------------------------------------


def without_sign(site: Site, a: Operand | Made) -> Operand | Made | None:
    """Return `-a` without a minus sign, if `a` has one that can be taken away."""
    if isinstance(a, Literal):
        negative = isinstance(a.value, int | float) and not isinstance(a.value, bool) and a.value < 0
        return Literal(-a.value) if negative else None
    if (minus := site.near(a, "negative")) is not None:
        return minus.args[0]
    if site.instr.role == "reverse" and (difference := site.part(a, "subtract")) is not None:
        left, right = difference.args  # -(-a - b) is a + b, but for the sign of zero
        other = without_sign(site, left)
        return None if other is None else Made("add", (other, right), difference.result.type)
    if site.instr.role == "reverse" and (reduced := site.part(a, "sum", "outer", "matmul")) is not None:
        other = without_sign(site, reduced.args[0])
        if other is None:
            return None
        return Made(reduced.op.name, (other, *reduced.args[1:]), reduced.result.type, reduced.params)
    product = site.part(a, "multiply", "divide")
    if product is None or product.result.type.dtype.kind not in "fc":
        return None
    left, right = product.args
    if (other := without_sign(site, left)) is not None:
        return Made(product.op.name, (other, right), product.result.type)
    if (other := without_sign(site, right)) is not None:
        return Made(product.op.name, (left, other), product.result.type)
    return None


def _sum(site: Site) -> Answer:
    left, right = site.args
    if site.type.dtype.kind not in "ifc" or (isinstance(right, Literal) and isinstance(left, Literal)):
        return None
    if (other := without_sign(site, right)) is not None:
        return Made("subtract", (left, other))
    other = without_sign(site, left)
    return None if other is None else Made("subtract", (right, other))


def _difference(site: Site) -> Answer:
    left, right = site.args
    other = without_sign(site, right) if site.type.dtype.kind in "ifc" else None
    return None if other is None else Made("add", (left, other))


def _opposite(site: Site) -> Answer:
    if isinstance(site.args[0], Literal):  # -0.0 and -1 are numbers already
        return None
    return without_sign(site, site.args[0])


def _product_of_signs(site: Site) -> Answer:
    left, right = site.args
    if site.type.dtype.kind not in "fc":
        return None
    a, b = without_sign(site, left), without_sign(site, right)
    return None if a is None or b is None else Made(site.instr.op.name, (a, b))


def _number_of_sign(site: Site) -> Answer:
    number, rest = site.args
    if not isinstance(number, Literal) or (minus := site.near(rest, "negative")) is None:
        return None
    if isinstance(number.value, bool) or site.type.dtype.kind not in "ifc":
        return None
    return Made("multiply", (Literal(-number.value), minus.args[0]))


def _minus_one(site: Site) -> Answer:
    left, right = site.args
    if site.type.dtype.kind not in "if":
        return None
    if is_number(left, -1) and same_type(right.type, site.type):
        return Made("negative", (right,))
    if is_number(right, -1) and same_type(left.type, site.type):
        return Made("negative", (left,))
    return None


def _opposite_difference(site: Site) -> Answer:
    if site.instr.role != "reverse":
        return None
    inner = site.part(site.args[0], "subtract")
    return None if inner is None else Made("subtract", (inner.args[1], inner.args[0]))


# --- neutral elements ---------------------------------------------------------------------------


def _same(site: Site, a: Operand) -> Answer:
    return a if site.type.dtype.kind in "iuf" and same_type(a.type, site.type) else None


def _times_one(site: Site) -> Answer:
    left, right = site.args
    if is_number(right, 1):
        return _same(site, left)
    return _same(site, right) if is_number(left, 1) else None


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
    if not is_number(site.args[1], 0) or math.copysign(1.0, float(site.args[1].value)) < 0:  # type: ignore
        return None
    return _same(site, site.args[0])


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
    """Write a number as a number where the other operand has its dtype."""
    for k, a in enumerate(site.args):
        made = site.definer(a, "widen")
        if made is None or not isinstance(made.args[0], Literal) or isinstance(a, Literal):
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
    if inner is None or not is_int(inner.result.type) or not isinstance(inner.args[1], Literal):
        return None
    base, first = inner.args
    if not isinstance(first.value, int) or not same_type(base.type, site.type):  # type: ignore[union-attr]
        return None
    total = first.value if inner.op.name == "add" else -first.value  # type: ignore[union-attr]
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


def _mean(site: Site) -> Answer:
    """Divide by a count rather than multiply by its inverse."""
    if site.instr.role != "reverse" or site.type.dtype.kind != "f":
        return None
    for a, b in (site.args, site.args[::-1]):
        inverse = site.part(a, "divide")
        if inverse is None or not is_number(inverse.args[0], 1) or not is_int(inverse.args[1].type):
            continue
        if same_type(b.type, site.type):
            return Made("divide", (b, inverse.args[1]))
    return None


def _powers_of_two(site: Site) -> Answer:
    """Join the factors of 2.0 * (3.0 * x)."""
    outer, rest = site.args
    inner = site.part(rest, "multiply")
    if not isinstance(outer, Literal) or inner is None or not isinstance(inner.args[0], Literal):
        return None
    k, m = outer.value, inner.args[0].value
    if not (isinstance(k, int | float) and isinstance(m, int | float)) or rest.type.dtype.kind != "f":
        return None
    if not (_is_scale(k) or _is_scale(m)) or min(abs(k), abs(m)) < 1 or not math.isfinite(k * m):
        return None
    return Made("multiply", (Literal(k * m), inner.args[1]))


def _is_scale(k: float) -> bool:
    return abs(math.frexp(k)[0]) == 0.5


ARITHMETIC = ("add", "subtract", "multiply", "divide", "negative", "power", "floor_divide", "remainder")
ARITHMETIC_OF_TWO = ("add", "subtract", "multiply", "divide", "where")
TESTS = ("not_", "less", "less_equal", "greater", "greater_equal", "equal", "not_equal")
FOLDED = (*ARITHMETIC, *TESTS, "to_float", "to_int")
SIGN = "a sign is exact, and moves freely through products, quotients and sums"

ALGEBRA = (
    Row(FOLDED, "1 + 2", "3", "what Python computes; not if it raises, overflows or gets long", _fold),
    Row(
        ("size", "add", "subtract", "multiply"), "len of f8[3]", "3", "the size is a known number", _known_int
    ),
    Row(
        ("to_float", "to_int", "widen"), "float(np.float64(0.0))", "0.0", "the same number", _number_converted
    ),
    Row(ARITHMETIC_OF_TWO, "np.float64(2.0) * x", "2.0 * x", "x has that dtype already", _number_again),
    Row(("add", "subtract"), "(n - 1) + 1", "n", "ints are exact", _int_sum),
    Row(("negative",), "--x, -(-a * b)", "x, a * b", SIGN, _opposite),
    Row(("add",), "a + -b, a + -b * c", "a - b, a - b * c", SIGN, _sum),
    Row(("subtract",), "a - -b", "a + b", SIGN, _difference),
    Row(("multiply", "divide"), "-a * -b", "a * b", SIGN, _product_of_signs),
    Row(("multiply",), "2.0 * -x", "-2.0 * x", SIGN, _number_of_sign),
    Row(("multiply",), "1.0 / n * g", "g / n", "in reverse sweeps: one rounding instead of two", _mean),
    Row(("multiply",), "-1.0 * x", "-x", SIGN, _minus_one),
    Row(("negative",), "-(a - b)", "b - a", "in reverse sweeps: 0.0 for -0.0", _opposite_difference),
    Row(("multiply",), "x * 1, 1 * x", "x", "exact for reals if kind, dtype and shape stay", _times_one),
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
