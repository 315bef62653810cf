"""Sums, products, comparisons and choices of scalars, of which the other operations are made. Operands are
cast to the dtype of the result, as NumPy's loops do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from s2sad.ir.types import BOOL, Dtype
from s2sad.machine.conversions import convert
from s2sad.machine.functions import intrinsic
from s2sad.machine.parts import joined, parts
from s2sad.machine.writer import NotHere, Number, Writer, kind_of

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


def floats(w: Writer, args: Numbers, dtype: Dtype) -> list[Number]:
    """Return the operands of a function of floats."""
    if dtype.kind != "f":
        raise NotHere("functions of other numbers than floats")
    return [convert(w, a, dtype) for a in args]


def arithmetic(w: Writer, name: str, args: Numbers, dtype: Dtype) -> Number:
    """Return a sum, difference or product."""
    if dtype == BOOL:
        raise NotHere("arithmetic of truth values")
    if dtype.kind == "c":
        return _of_parts(w, name, *(convert(w, x, dtype) for x in args))
    a, b = (convert(w, x, dtype).text for x in args)
    word = ARITHMETIC[name][0 if dtype.kind == "f" else 1]
    return Number(w.value(f"{word} {kind_of(dtype)} {a}, {b}"), dtype)


def _of_parts(w: Writer, name: str, x: Number, y: Number) -> Number:
    """Return a sum, difference or product of complex numbers. The products in a product are rounded, so that
    z times its conjugate is real."""
    (a, b), (c, d) = parts(w, x), parts(w, y)
    dtype = a.dtype
    if name != "multiply":
        return joined(w, *(arithmetic(w, name, pair, dtype) for pair in ((a, c), (b, d))))
    ac, bd, ad, bc = (_product(w, *pair) for pair in ((a, c), (b, d), (a, d), (b, c)))
    real = arithmetic(w, "rounded_sub", (ac, bd), dtype)
    return joined(w, real, arithmetic(w, "rounded_add", (ad, bc), dtype))


def _product(w: Writer, a: Number, b: Number) -> Number:
    return Number(w.value(f"fmul {kind_of(a.dtype)} {a.text}, {b.text}"), a.dtype)


def compare(w: Writer, name: str, args: Numbers) -> str:
    """Return whether a comparison holds."""
    dtypes = [a.dtype for a in args]
    common = np.result_type(*dtypes)
    if common.kind == "f" and all(d.kind in "iu" for d in dtypes):
        return _compare_unlike(w, name, *args)
    if common.kind == "c":
        return _compare_parts(w, name, *(convert(w, x, common) for x in args))
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


def _compare_parts(w: Writer, name: str, x: Number, y: Number) -> str:
    if name not in ("equal", "not_equal"):
        raise NotHere("the order of complex numbers")
    real, imag = (compare(w, name, pair) for pair in zip(parts(w, x), parts(w, y), strict=True))
    return w.value(f"{'and' if name == 'equal' else 'or'} i1 {real}, {imag}")


def choose(w: Writer, condition: str, a: Number, b: Number) -> Number:
    """Return one of two numbers of one dtype."""
    kind = kind_of(a.dtype)
    return Number(w.value(f"select i1 {condition}, {kind} {a.text}, {kind} {b.text}"), a.dtype)


def negative(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    """Return a number with the other sign."""
    a = convert(w, args[0], dtype)
    if dtype.kind == "c":
        return joined(w, *(negative(w, (x,), x.dtype) for x in parts(w, a)))
    if dtype == BOOL:
        raise NotHere("arithmetic of truth values")
    kind = kind_of(dtype)
    text = f"fneg {kind} {a.text}" if dtype.kind == "f" else f"sub {kind} 0, {a.text}"
    return Number(w.value(text), dtype)


def absolute(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    """Return the size of a number that is not complex."""
    a = convert(w, args[0], dtype)
    if dtype.kind in "ub":
        return a
    return intrinsic(w, "fabs" if dtype.kind == "f" else "abs", (a,))


def quotient(w: Writer, args: Numbers, dtype: Dtype) -> Number:
    """Return a quotient of floats."""
    a, b = floats(w, args, dtype)
    return Number(w.value(f"fdiv {CONTRACT}{kind_of(dtype)} {a.text}, {b.text}"), dtype)
