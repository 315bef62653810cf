"""Functions that are called but not read: a SciPy routine, a compiled library, an instrument."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from s2sad.ir.builder import Sizes
from s2sad.ir.op import ONCE
from s2sad.ir.types import Type
from s2sad.ops.declare import Params, Types, custom, linear, refuse
from s2sad.ops.support import load

Slot = tuple[str, Any]
"""An argument of the call: an `operand` (by its number) or a `constant` (None, bool, int, float, str, or a
function that can be imported)."""

ImportedNames = Mapping[Callable[..., Any], str]
NO_NAMES: ImportedNames = MappingProxyType({})
"""How a module calls the functions that it imports: where it is not by their own names."""


def _evaluate(like: Any, *operands: Any, function: Callable[..., Any], slots: tuple[Slot, ...]) -> Any:
    args = [operands[x] if kind == "operand" else x for kind, x in slots]
    return _declared(function(*args), like)


def _infer(types: Types, params: Params, sizes: Sizes) -> Types:
    return (types[0],)


def _spell(types: Types, params: Params, names: ImportedNames = NO_NAMES) -> str:
    return f"declared({_called(params['function'], names)}({_arguments(params, 1, names)}), {{0}})"


def _called(function: Callable[..., Any], names: ImportedNames) -> str:
    return names.get(function, function.__name__)


def _arguments(params: Params, first: int, names: ImportedNames) -> str:
    texts = [f"{{{x + first}}}" if kind == "operand" else _constant(x, names) for kind, x in params["slots"]]
    return ", ".join(texts)


def outside_name(params: Params, names: ImportedNames) -> str:
    """Return what compiled text calls for a function: there is one for each kind of result and scalars."""
    t, kinds = params["type"], scalar_kinds(params)
    scalars = "".join(f"_{kind}" for kind in kinds) if any(kinds) else ""
    called = _called(params["function"], names)
    return f"outside_{called}_{len(kinds)}_{t.dtype}_{len(t.shape)}d{scalars}"


def scalar_kinds(params: Params) -> list[str]:
    """Return for each argument the dtype that it has as a NumPy scalar, empty where it is none."""
    return [params["kinds"][x] if kind == "operand" else "" for kind, x in params["slots"]]


def spell_outside(types: Types, params: Params, names: ImportedNames = NO_NAMES) -> str:
    """Return the call in compiled text: with the result's dimensions, then the arguments."""
    dims = [f"{{{k}}}" for k in range(len(params["type"].shape))]
    return f"{outside_name(params, names)}({', '.join([*dims, _arguments(params, len(dims), names)])})"


def evaluate_outside(
    *args: Any, function: Callable[..., Any], slots: tuple[Slot, ...], type: Type, kinds: tuple[str, ...]
) -> Any:
    """Return what the call returns. `kinds`: the dtypes of operands that are NumPy scalars, which compiled
    code hands over as Python numbers; else empty."""
    dims = tuple(args[: len(type.shape)])
    like = np.empty(dims, type.dtype) if dims else type.dtype.type(0)
    operands = [np.dtype(k).type(a) if k else a for a, k in zip(args[len(dims) :], kinds, strict=True)]
    return _evaluate(like, *operands, function=function, slots=slots)


def _constant(value: Any, names: ImportedNames) -> str:
    return _called(value, names) if callable(value) else repr(value)


_declared = load("declared")

custom(
    "external",
    _evaluate,
    refuse("a function that is not read", "give it a derivative: custom_vjp or custom_jvp"),
    refuse("a function that is not read", "give it a derivative: custom_vjp or custom_jvp"),
    infer=_infer,
    spell=_spell,
    shape_args=(0,),
    cost=ONCE,
    doc="a call of a Python function; the result is like the first operand, of which only the shape is read",
)
linear(
    "declared",
    lambda x, like: _declared(x, like),
    lambda g, x, like, y: (g, None),
    "declared",
    infer=_infer,
    linear_args=(0,),
    shape_args=(1,),
    doc="what a function that is not read has returned, in the shape and dtype that were declared",
)
