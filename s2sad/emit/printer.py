"""Expressions as text: what `ast.unparse` prints, for the forms that emitted code is made of.

`ast.unparse` takes a fifth of the time of emission, for it serves every form of Python and writes into one
buffer. Here a form is a function of its parts' texts; what is not among them is left to `ast.unparse`. One
thing differs: `a and not b < c` has no parentheses here.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

# how tightly a form binds, in the order of Python's grammar
_TEST, _OR, _AND, _NOT, _COMPARE, _EITHER, _ONE, _BOTH = range(8)
_SHIFT, _SUM, _TERM, _FACTOR, _POWER, _ATOM = range(8, 14)

_BINARY: dict[type, tuple[str, int]] = {
    ast.BitOr: (" | ", _EITHER),
    ast.BitXor: (" ^ ", _ONE),
    ast.BitAnd: (" & ", _BOTH),
    ast.LShift: (" << ", _SHIFT),
    ast.RShift: (" >> ", _SHIFT),
    ast.Add: (" + ", _SUM),
    ast.Sub: (" - ", _SUM),
    ast.Mult: (" * ", _TERM),
    ast.MatMult: (" @ ", _TERM),
    ast.Div: (" / ", _TERM),
    ast.FloorDiv: (" // ", _TERM),
    ast.Mod: (" % ", _TERM),
    ast.Pow: (" ** ", _POWER),
}
_COMPARED: dict[type, str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
_UNARY: dict[type, tuple[str, int]] = {
    ast.USub: ("-", _FACTOR),
    ast.UAdd: ("+", _FACTOR),
    ast.Invert: ("~", _FACTOR),
    ast.Not: ("not ", _NOT),
}


def expression(node: ast.expr, level: int = _TEST) -> str:
    """Return an expression as text, in parentheses if it binds less tightly than `level`."""
    show = _FORMS.get(type(node))
    found = show(node) if show is not None else None
    if found is None:
        text = ast.unparse(node)
        return f"({text})" if level > _TEST and isinstance(node, _OPEN) else text
    text, own = found
    return text if own >= level else f"({text})"


_OPEN = (ast.Lambda, ast.Await)
_Form = Callable[[Any], tuple[str, int] | None]


def _name(node: ast.Name) -> tuple[str, int]:
    return node.id, _ATOM


def _constant(node: ast.Constant) -> tuple[str, int] | None:
    value = node.value
    simple = value is None or isinstance(value, int) or (isinstance(value, float) and abs(value) < 1e300)
    return (repr(value), _ATOM) if simple else None


def _attribute(node: ast.Attribute) -> tuple[str, int] | None:
    if isinstance(node.value, ast.Constant) and isinstance(node.value.value, int):
        return None  # `1 .real`
    return f"{expression(node.value, _ATOM)}.{node.attr}", _ATOM


def _subscript(node: ast.Subscript) -> tuple[str, int] | None:
    index = node.slice
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    if not parts or any(isinstance(part, ast.Starred) for part in parts):
        return None
    inside = ", ".join(map(expression, parts))
    comma = "," if isinstance(index, ast.Tuple) and len(parts) == 1 else ""
    return f"{expression(node.value, _ATOM)}[{inside}{comma}]", _ATOM


def _slice(node: ast.Slice) -> tuple[str, int]:
    lower, upper = ("" if part is None else expression(part) for part in (node.lower, node.upper))
    step = "" if node.step is None else f":{expression(node.step)}"
    return f"{lower}:{upper}{step}", _ATOM


def _call(node: ast.Call) -> tuple[str, int]:
    parts = [expression(a) for a in node.args]
    parts += [(f"{k.arg}=" if k.arg else "**") + expression(k.value) for k in node.keywords]
    return f"{expression(node.func, _ATOM)}({', '.join(parts)})", _ATOM


def _binary(node: ast.BinOp) -> tuple[str, int]:
    sign, own = _BINARY[type(node.op)]
    left, right = (own + 1, own) if isinstance(node.op, ast.Pow) else (own, own + 1)
    return f"{expression(node.left, left)}{sign}{expression(node.right, right)}", own


def _unary(node: ast.UnaryOp) -> tuple[str, int]:
    sign, own = _UNARY[type(node.op)]
    return sign + expression(node.operand, own), own


def _compare(node: ast.Compare) -> tuple[str, int]:
    words = [expression(node.left, _COMPARE + 1)]
    for op, other in zip(node.ops, node.comparators, strict=True):
        words += [_COMPARED[type(op)], expression(other, _COMPARE + 1)]
    return " ".join(words), _COMPARE


def _boolean(node: ast.BoolOp) -> tuple[str, int]:
    word, own = (" and ", _AND) if isinstance(node.op, ast.And) else (" or ", _OR)
    return word.join(expression(v, own + 1) for v in node.values), own


def _conditional(node: ast.IfExp) -> tuple[str, int]:
    yes, test = expression(node.body, _TEST + 1), expression(node.test, _TEST + 1)
    return f"{yes} if {test} else {expression(node.orelse)}", _TEST


def _tuple(node: ast.Tuple) -> tuple[str, int]:
    items = ", ".join(map(expression, node.elts))
    return f"({items},)" if len(node.elts) == 1 else f"({items})", _ATOM


def _list(node: ast.List) -> tuple[str, int]:
    return f"[{', '.join(map(expression, node.elts))}]", _ATOM


_FORMS: dict[type, _Form] = {
    ast.Name: _name,
    ast.Constant: _constant,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Slice: _slice,
    ast.Call: _call,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.Compare: _compare,
    ast.BoolOp: _boolean,
    ast.IfExp: _conditional,
    ast.Tuple: _tuple,
    ast.List: _list,
}
