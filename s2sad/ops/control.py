"""The ops that own blocks, and the few that only a compiler writes."""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.ir.op import Alias, Kind, Op
from s2sad.ir.types import Array, Scalar, Type, sample
from s2sad.ops.table import register


def _structural(*args: Any, **params: Any) -> Any:
    raise AssertionError("control flow is evaluated by the interpreter, not by an op")


IF = register(Op("if", Kind.CONTROL, _structural, doc="then and else block; results are their yields"))
FOR = register(Op("for", Kind.CONTROL, _structural, doc="counted loop over range(lo, hi, step)"))
WHILE = register(Op("while", Kind.CONTROL, _structural, doc="loop while the cond block yields True"))
CALL = register(Op("call", Kind.CONTROL, _structural, doc="call of an IR function; params: callee"))


LINKED = register(
    Op(
        "linked",
        Kind.CONTROL,
        lambda *args, link: args[: link.values] if link.values > 1 else args[0],
        cost=0,
        doc="results of a rule's forward half, reversed by the rule (`link`, ir/rule.py); inside vjp only",
    )
)


def _undef(type: Type) -> Any:
    if isinstance(type, Array):
        return np.empty((0,) * type.ndim, type.dtype)
    return sample(Scalar(type.dtype, type.weak))


UNDEF = register(
    Op(
        "undef",
        Kind.NONDIFF,
        _undef,
        infer=lambda types, params, sizes: (params["type"],),
        cost=0,
        doc="a name that is not bound yet; never read by a right program; param `type`",
    )
)


def _widen(x: Any, type: Scalar) -> Any:
    if type.weak:
        return {"b": bool, "i": int, "u": int, "f": float, "c": complex}[type.dtype.kind](x)
    return type.dtype.type(x)


WIDEN = register(
    Op(
        "widen",
        Kind.ELEMENTWISE,
        _widen,
        derivative=lambda g, x, y, type: g,
        infer=lambda types, params, sizes: (params["type"],),
        cost=0,
        doc="a scalar as the wider scalar type of a join: int to float, weak to strong; prints as x itself",
        extra={"print": "widen"},
    )
)


STOP_GRADIENT = register(
    Op(
        "stop_gradient",
        Kind.NONDIFF,
        lambda x: x,
        spelling="{0}",
        infer=lambda types, params, sizes: (types[0],),
        alias=Alias.SAME,
        cost=0,
        doc="x itself, with derivative zero",
    )
)


def _print(*values: Any, template: tuple[Any, ...], sep: str, end: str) -> None:
    print(*template_values(template, values), sep=sep, end=end)


def template_values(template: tuple[Any, ...], values: tuple[Any, ...]) -> list[Any]:
    """Return print arguments: a template item is a string, or an int that selects a value; a tuple
    of such items is one f-string, an item (int, conversion, format) formats a value."""
    out: list[Any] = []
    for item in template:
        match item:
            case int():
                out.append(values[item])
            case tuple():
                text = ""
                for part in item:
                    text += part if isinstance(part, str) else format(values[part[0]], part[1])
                out.append(text)
            case _:
                out.append(item)
    return out


PRINT = register(
    Op(
        "print",
        Kind.NONDIFF,
        _print,
        infer=lambda types, params, sizes: (),
        pure=False,
        results=0,
        doc="print in the forward sweep; params template, sep, end",
    )
)

COMMENT = register(
    Op(
        "comment",
        Kind.NONDIFF,
        lambda text: None,
        infer=lambda types, params, sizes: (),
        pure=False,
        cost=0,
        results=0,
        doc="a comment line of its own in emitted text; param text. `reverse sweep` is where vjp is cut",
    )
)
