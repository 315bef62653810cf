"""Functions that are called but not read: a SciPy routine, a compiled library, an instrument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from s2sad.ir.builder import Sizes
from s2sad.ops.declare import Params, Types, custom, linear, refuse
from s2sad.ops.support import load

Slot = tuple[str, Any]
"""An argument of the call: an `operand` (by its number) or a `constant` (None, bool, int, float, str, or a
function that can be imported)."""


def _evaluate(like: Any, *operands: Any, function: Callable[..., Any], slots: tuple[Slot, ...]) -> Any:
    args = [operands[x] if kind == "operand" else x for kind, x in slots]
    return _declared(function(*args), like)


def _infer(types: Types, params: Params, sizes: Sizes) -> Types:
    return (types[0],)


def _spell(types: Types, params: Params) -> str:
    slots = [f"{{{x + 1}}}" if kind == "operand" else _constant(x) for kind, x in params["slots"]]
    return f"declared({params['function'].__name__}({', '.join(slots)}), {{0}})"


def _constant(value: Any) -> str:
    return value.__name__ if callable(value) else repr(value)


_declared = load("declared")

custom(
    "external",
    _evaluate,
    refuse("a function that is not read", "give it a derivative: custom_vjp or custom_jvp"),
    refuse("a function that is not read", "give it a derivative: custom_vjp or custom_jvp"),
    infer=_infer,
    spell=_spell,
    shape_args=(0,),
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
