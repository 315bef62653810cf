"""Messages of raise, assert and print as pieces: f-strings, `%`, `.format()`, and sums of strings."""

from __future__ import annotations

import re
import string
from typing import Any

import gast

Piece = str | tuple[Any, Any]  # a text, or an expression and its format: a str, a node or None

_PERCENT = re.compile(r"%([-+ #0]*)(\d*)(\.\d+)?([sdifgGeErx%])")


def pieces_of(node: Any) -> list[Piece]:
    """Return the pieces of a message; what is no string of these forms is one piece by itself."""
    match node:
        case gast.Constant():
            return [str(node.value)]
        case gast.JoinedStr():
            return [p for value in node.values for p in pieces_of(value)]
        case gast.FormattedValue():
            return [(node.value, node.format_spec)]
        case gast.BinOp(op=gast.Add()) if _is_text(node.left) or _is_text(node.right):
            return [*pieces_of(node.left), *pieces_of(node.right)]
        case gast.BinOp(op=gast.Mod(), left=gast.Constant(value=str(text))):
            return _percent(text, node.right) or [(node, None)]
        case gast.Call(func=gast.Name(id="str"), args=[value], keywords=[]):
            return [(value, None)]
        case gast.Call(func=gast.Attribute(value=gast.Constant(value=str(text)), attr="format")):
            return _format(text, node) or [(node, None)]
    return [(node, None)]


def _is_text(node: Any) -> bool:
    match node:
        case gast.Constant(value=str()) | gast.JoinedStr() | gast.Call(func=gast.Name(id="str")):
            return True
        case gast.BinOp():
            return _is_text(node.left) or _is_text(node.right)
    return False


def _percent(text: str, right: Any) -> list[Piece] | None:
    """Return the pieces of `text % right`; None if they do not fit."""
    values = list(right.elts) if isinstance(right, gast.Tuple) else [right]
    out: list[Piece] = []
    at = 0
    for found in _PERCENT.finditer(text):
        flags, width, precision, kind = found.groups()
        out.append(text[at : found.start()])
        at = found.end()
        if kind == "%":
            out.append("%")
            continue
        if not values or kind == "r" or "#" in flags or "-" in flags:
            return None
        kind = "" if kind == "s" else "d" if kind == "i" else kind
        align = ">" if kind == "" and width else ""
        out.append((values.pop(0), f"{align}{flags}{width}{precision or ''}{kind}"))
    out.append(text[at:])
    return None if values or "%" in _PERCENT.sub("", text) else [p for p in out if p != ""]


def _format(text: str, call: Any) -> list[Piece] | None:
    """Return the pieces of `text.format(...)`; None if its fields are not plain."""
    named = {k.arg: k.value for k in call.keywords}
    out: list[Piece] = []
    count = 0
    for literal, field, spec, conversion in string.Formatter().parse(text):
        out += [literal] if literal else []
        if field is None:
            continue
        if field == "":
            field, count = str(count), count + 1
        value = call.args[int(field)] if field.isdigit() and int(field) < len(call.args) else named.get(field)
        if value is None or conversion or "{" in (spec or ""):
            return None
        out.append((value, spec or None))
    return out
