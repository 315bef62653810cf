"""Elementary functions of the C library, with the SIMD variants that LLVM's vectoriser may take instead.

The attribute `vector-function-abi-variant` of a call says which variants there are (`ops/vector_math.py`)."""

from __future__ import annotations

from collections.abc import Sequence

from s2sad.ir.types import F8, Dtype
from s2sad.machine.writer import Number, Writer, kind_of
from s2sad.ops.vector_math import variants

OF_C = {
    **{name: name for name in (
        "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh",
        "cbrt", "hypot", "nextafter",
    )},
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "power": "pow", "float_power": "pow",
    "special_erf": "erf", "special_erfc": "erfc",
    **{f"math_{name}": name for name in (
        "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh",
        "asin", "acos", "atan", "atan2", "asinh", "acosh", "atanh", "pow", "erf", "erfc", "hypot", "cbrt",
        "nextafter", "lgamma",
    )},
    "math_gamma": "tgamma",
}  # fmt: skip


def call_c(w: Writer, name: str, args: Sequence[Number], dtype: Dtype) -> Number:
    """Return a C function of doubles, or its namesake of floats, of numbers of `dtype`."""
    kind, symbol = kind_of(dtype), name if dtype == F8 else name + "f"
    module, arity = w.module, len(args)
    module.declare(kind, symbol, *[kind] * arity, attributes="nounwind memory(none)")
    mappings = []
    for variant, lanes in variants(symbol, arity, 8 * dtype.itemsize):
        vector = f"<{lanes} x {kind}>"
        module.declare(vector, variant, *[vector] * arity)
        module.keep(variant)
        mappings.append(f"_ZGV_LLVM_N{lanes}{'v' * arity}_{symbol}({variant})")
    attributes = "nounwind memory(none)"
    if mappings:
        attributes += f' "vector-function-abi-variant"="{",".join(mappings)}"'
    given = ", ".join(f"{kind} {a.text}" for a in args)
    return Number(w.value(f"call {kind} @{symbol}({given}) {module.attribute(attributes)}"), dtype)


def intrinsic(w: Writer, name: str, args: Sequence[Number], flags: str = "") -> Number:
    """Return a function that LLVM itself knows."""
    dtype = args[0].dtype
    kind = kind_of(dtype)
    symbol = f"llvm.{name}.{'f' if dtype.kind == 'f' else 'i'}{8 * dtype.itemsize}"
    more = ("i1",) if name == "abs" else ()
    w.module.declare(kind, symbol, *[kind] * len(args), *more)
    given = ", ".join([f"{kind} {a.text}" for a in args] + [f"{t} false" for t in more])
    return Number(w.value(f"call {flags}{kind} @{symbol}({given})"), dtype)
