"""Elementary functions that loops can be vectorised with, and additions that may be reordered.

Numba calls the C library's scalar functions, which keeps LLVM's vectoriser out of a loop. Here the call
says by the attribute `vector-function-abi-variant` which SIMD variants there are: those of glibc's libmvec
(x86-64: within 4 ulp, special values as the scalar functions). Each symbol is looked up; where it does not
exist the scalar function is called.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from s2sad.ops.vector_math import variants

NAMES = re.compile(r"\b(?:simd_\w+|any_order_\w+|rounded_\w+|stay_apart|as_index)(?=\()")
CAN_REORDER = ("reassoc", "nsz", "contract")
ROUNDED = ("arcp",)  # says nothing of a sum, and keeps Numba from adding `contract`


def _keep(module: Any, functions: list[Any]) -> None:
    # declarations that nothing calls are dropped before the vectoriser runs
    pointer = ir.IntType(8).as_pointer()
    used = module.globals.get("llvm.compiler.used")
    kept = list(used.initializer.constant) if used is not None else []
    names = {str(c) for c in kept}
    kept += [c for c in (f.bitcast(pointer) for f in functions) if str(c) not in names]
    array = ir.ArrayType(pointer, len(kept))
    if used is None:
        used = ir.GlobalVariable(module, array, "llvm.compiler.used")
        used.linkage, used.section = "appending", "llvm.metadata"
    used.value_type, used.type = array, array.as_pointer()
    used.initializer = ir.Constant(array, kept)


def declared(module: Any, kind: Any, name: str) -> Any:
    """Return the function of a module that is declared by a name."""
    return cgutils.get_or_insert_function(module, kind, name)  # type: ignore[no-untyped-call]


def _call(builder: Any, name: str, args: list[Any]) -> Any:
    number = args[0].type
    bits = 64 if isinstance(number, ir.DoubleType) else 32
    symbol = name if bits == 64 else name + "f"
    arity = len(args)
    scalar = declared(builder.module, ir.FunctionType(number, [number] * arity), symbol)
    call = builder.call(scalar, args)
    known, mappings = [], []
    for variant, lanes in variants(symbol, arity, bits):
        vector = ir.VectorType(number, lanes)
        kind = ir.FunctionType(vector, [vector] * arity)
        known.append(declared(builder.module, kind, variant))
        mappings.append(f"_ZGV_LLVM_N{lanes}{'v' * arity}_{symbol}({variant})")
    attributes = "nounwind memory(none)"
    if mappings:
        attributes += f' "vector-function-abi-variant"="{",".join(mappings)}"'
        _keep(builder.module, known)
    set.add(call.attributes, attributes)
    return call


def _common(numbers: tuple[Any, ...]) -> Any:
    return types.float32 if all(t == types.float32 for t in numbers) else types.float64


def _of_two(codegen: Any) -> Any:
    @intrinsic
    def two(typingctx: Any, x: Any, y: Any) -> Any:
        t = _common((x, y))
        return t(t, t), codegen

    return two


@functools.cache
def _function(name: str) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: list[Any]) -> Any:
        return _call(builder, name, args)

    if name in ("pow", "atan2", "hypot"):
        return _of_two(codegen)

    @intrinsic
    def one(typingctx: Any, x: Any) -> Any:
        t = _common((x,))
        return t(t), codegen

    return one


def _sum(build: str, flags: tuple[str, ...]) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: list[Any]) -> Any:
        a, b = args
        if isinstance(signature.return_type, types.Float):
            return getattr(builder, build)(a, b, flags=flags)
        t = signature.return_type
        left, right = (context.make_complex(builder, t, value=x) for x in (a, b))
        found = context.make_complex(builder, t)
        found.real = getattr(builder, build)(left.real, right.real, flags=flags)
        found.imag = getattr(builder, build)(left.imag, right.imag, flags=flags)
        return found._getvalue()

    @intrinsic
    def total(typingctx: Any, a: Any, b: Any) -> Any:
        t = typingctx.unify_types(a, b)
        if not isinstance(t, types.Float | types.Complex):
            t = types.float64
        return t(t, t), codegen

    return total


def _extreme(name: str) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: list[Any]) -> Any:
        number = args[0].type
        bits = 64 if isinstance(number, ir.DoubleType) else 32
        kind = ir.FunctionType(number, [number, number])
        return builder.call(declared(builder.module, kind, f"llvm.{name}.f{bits}"), args)

    return _of_two(codegen)


@intrinsic
def stay_apart(typingctx: Any) -> Any:
    """Keep LLVM from copying the function around the call into its caller: it would be compiled twice."""

    def codegen(context: Any, builder: Any, signature: Any, args: list[Any]) -> Any:
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.none(), codegen


@intrinsic
def as_index(typingctx: Any, i: Any) -> Any:
    """Return an int of 64 bits that is not negative as one that cannot be: it does not count from the end."""
    return types.uint64(types.int64), lambda context, builder, signature, args: args[0]


KNOWN: dict[str, Any] = {
    "as_index": as_index,
    "stay_apart": stay_apart,
    "any_order_add": _sum("fadd", CAN_REORDER),
    "any_order_sub": _sum("fsub", CAN_REORDER),
    "rounded_add": _sum("fadd", ROUNDED),
    "rounded_sub": _sum("fsub", ROUNDED),
    "simd_maximum": _extreme("maximum"),  # of a nan and a number they are nan, as NumPy's
    "simd_minimum": _extreme("minimum"),
}


def names_in(text: str) -> dict[str, Any]:
    """Return what the names of this module that occur in a text stand for."""
    found: dict[str, Any] = {}
    for name in sorted(set(NAMES.findall(text))):
        found[name] = KNOWN[name] if name in KNOWN else _function(name.removeprefix("simd_"))
    return found
