"""Rewrites that move signs. Exact in floating point but for the sign of zero, where `why` says so."""

from __future__ import annotations

from s2sad.ir.core import Literal, Operand
from s2sad.passes.site import Answer, Made, Row, Site, is_number, same_type


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
        for k, factor in enumerate(reduced.args if reduced.op.name != "sum" else reduced.args[:1]):
            if (other := without_sign(site, factor)) is not None:
                args = (*reduced.args[:k], other, *reduced.args[k + 1 :])
                return Made(reduced.op.name, args, reduced.result.type, reduced.params)
        return None
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


def _sum_of_opposites(site: Site) -> Answer:
    minus = site.part(site.args[0], "negative")
    if minus is None or site.instr.role != "reverse" or site.type.dtype.kind not in "fc":
        return None
    return Made("negative", (Made("sum", minus.args, site.type, site.instr.params),))


def _opposite_difference(site: Site) -> Answer:
    if site.instr.role != "reverse":
        return None
    inner = site.part(site.args[0], "subtract")
    return None if inner is None else Made("subtract", (inner.args[1], inner.args[0]))


SIGN = "a sign is exact, and moves freely through products, quotients and sums"

SIGNS = (
    Row(("negative",), "--x, -(-a * b)", "x, a * b", SIGN, _opposite),
    Row(("add",), "a + -b, a + -b * c", "a - b, a - b * c", SIGN, _sum),
    Row(("subtract",), "a - -b", "a + b", SIGN, _difference),
    Row(("multiply", "divide"), "-a * -b", "a * b", SIGN, _product_of_signs),
    Row(("multiply",), "2.0 * -x", "-2.0 * x", SIGN, _number_of_sign),
    Row(("multiply",), "-1.0 * x", "-x", SIGN, _minus_one),
    Row(("sum",), "np.sum(-x)", "-np.sum(x)", "in reverse sweeps: -0.0 for 0.0", _sum_of_opposites),
    Row(("negative",), "-(a - b)", "b - a", "in reverse sweeps: 0.0 for -0.0", _opposite_difference),
)
