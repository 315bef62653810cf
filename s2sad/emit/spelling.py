"""The template of an operation: how a call of it is written, with {0}, {1}, ... for its operands."""

from __future__ import annotations

import functools
import re
from typing import Any

import numpy as np

from s2sad.emit.constants import constant_text
from s2sad.ir.core import Instr, Operand, held
from s2sad.ir.types import Array, Type


def template(instr: Instr) -> str:
    """Return the template of an instruction that is neither an index operation nor control flow."""
    op = instr.op
    spell = op.extra.get("spell")
    if spell is None and op.name != "unbroadcast":
        return numbered(op.spelling) if "{" in op.spelling else _call(instr, dict(instr.params))
    types = tuple(a.type for a in instr.args)
    return _unbroadcast(types) if spell is None else numbered(spell(types, dict(instr.params)))


@functools.lru_cache(maxsize=1024)
def numbered(text: str) -> str:
    """Return a template with its `{}` numbered."""
    count = -1

    def number(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"{{{count}}}"

    return re.sub(r"\{\}", number, text)


def repeats(instr: Instr, arg: int) -> bool:
    """True if printing the instruction writes this operand more than once, or not at all."""
    if instr.blocks or held(instr) or instr.op.name in ("getitem", "setitem", "accum", "print", "comment"):
        return False
    return template(instr).count(f"{{{arg}}}") != 1


def _call(instr: Instr, params: dict[str, Any]) -> str:
    op = instr.op
    slots = [f"{{{k}}}" for k in range(len(instr.args))]
    match op.extra.get("print"):
        case "dims":
            slots = [_shape(slots)]
        case "array, dims":
            slots = [slots[0], _shape(slots[1:])]
        case "sequence":
            slots = [_tuple(slots)]
        case "widen":
            return "{0}"
    defaults = op.extra.get("defaults", {})
    for name, value in params.items():
        if not _is_default(value, defaults.get(name)):
            slots.append(f"{name}={_param(value)}")
    return f"{op.spelling or 'np.' + op.name}({', '.join(slots)})"


def _is_default(value: Any, default: Any) -> bool:
    if value is None or default is None or isinstance(value, bool) or isinstance(default, bool):
        return value is default
    return bool(value == default)


def _shape(slots: list[str]) -> str:
    return slots[0] if len(slots) == 1 else _tuple(slots)


def _tuple(slots: list[str]) -> str:
    return f"({', '.join(slots)}{',' if len(slots) == 1 else ''})"


def _param(value: Any) -> str:
    if isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], int):
        value = value[0]
    return constant_text(value)


def _unbroadcast(types: tuple[Type, ...]) -> str:
    g, like = types
    lead = g.ndim - like.ndim
    if not isinstance(like, Array):
        return "np.sum({0})" if g.ndim else "{0}"
    if lead < 0:  # the cotangent of a sum
        return "unbroadcast({0}, {1}.shape)" if g.ndim else "np.full({1}.shape, {0})"
    axes = list(range(lead))
    for k, (have, want) in enumerate(zip(g.shape[lead:], like.shape, strict=True)):
        if want.is_one and not have.is_one:
            axes.append(k + lead)
        elif have != want:
            return "unbroadcast({0}, {1}.shape)"
    if not axes:
        return "{0}.copy()"
    if not like.ndim:
        return "np.asarray(np.sum({0}))"
    if len(axes) == lead:
        return f"np.sum({{0}}, axis={_param(tuple(axes))})"
    if not lead:
        return f"np.sum({{0}}, axis={_param(tuple(axes))}, keepdims=True)"
    return f"np.sum({{0}}, axis={_param(tuple(axes))}, keepdims=True).reshape({{1}}.shape)"


def default_text(a: Operand) -> str:
    """Return the text of some value of an operand's type, for what is never read."""
    if isinstance(a.type, Array):
        zeros = ", ".join("0" for _ in range(a.type.ndim))
        shape = f"({zeros})" if a.type.ndim != 1 else "0"
        dtype = "" if a.type.dtype == np.float64 else f", dtype={constant_text(a.type.dtype)}"
        return f"np.empty({shape}{dtype})"
    return {"b": "False", "i": "0", "u": "0", "f": "0.0", "c": "0j"}[a.type.dtype.kind]
