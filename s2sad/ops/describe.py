"""Rows of docs/ops.md: how an op is written, its derivative, what it reads, its kinks."""

from __future__ import annotations

import inspect
import string
from typing import Any

from s2sad.ir.core import Literal, Value
from s2sad.ir.op import Kind, Op
from s2sad.ir.size import Size
from s2sad.ir.types import F8, WEAK_FLOAT, Array, Type
from s2sad.ops.expr import Apply, Expr, Leaf, Located, Masked, leaves
from s2sad.record import dataclass

SHAPE = (Size.symbol("x.0"), Size.symbol("x.1"))
KINDS = {
    Kind.LINEAR: "linear: the op itself on the tangents",
    Kind.BILINEAR: "linear in each argument",
    Kind.CUSTOM: "functions of its own",
    Kind.NONDIFF: "none: cuts the derivative",
    Kind.CONTROL: "by the transforms",
}


@dataclass(frozen=True, slots=True)
class Row:
    """What is said of an op; `reads` are the primal values that its derivative needs."""

    name: str
    written: str
    derivative: str
    reads: str
    notes: str


def row(op: Op) -> Row:
    """Return the row of an op."""
    derivative, reads = KINDS.get(op.kind, ""), ""
    if op.kind is Kind.ELEMENTWISE:
        derivative, reads = _elementwise(op)
    elif op.kind is Kind.REDUCTION:
        derivative, reads = _reduction(op)
    notes = "; ".join(filter(None, (op.extra.get("kinks", ""), op.doc)))
    return Row(op.name, _written(op), derivative, reads, notes)


def _written(op: Op) -> str:
    if "{" in op.spelling or "spell" not in op.extra:
        return op.spelling.replace("{}", "·").replace("{0}", "·").replace("{1}", "·")
    return op.spelling


def _elementwise(op: Op) -> tuple[str, str]:
    names = [p.name for p in inspect.signature(op.derivative).parameters.values()]
    names = [n for n in names if n not in ("g", "y", "type")]
    names = ["a", "b"] if names == ["xs"] else names
    t: Type = WEAK_FLOAT if op.name.startswith(("math_", "py_")) else Array(F8, SHAPE[:1])
    args = [Leaf(Value(n, t)) for n in names]
    g, y = Leaf(Value("g", t)), Leaf(Value("y", t))
    params = {"type": WEAK_FLOAT} if op.name == "widen" else {}
    try:
        found = op.derivative(g, *args, y=y, **params)
    except Exception:
        return "none: refused (S203)", ""
    found = found if isinstance(found, tuple) else (found,)
    return ", ".join(map(text, found)), _reads(found, {g})


def _reduction(op: Op) -> tuple[str, str]:
    x, y = Leaf(Value("x", Array(F8, SHAPE))), Leaf(Value("y", Array(F8, (SHAPE[0], Size.of(1)))))
    weight = op.derivative(x, y=y, axis=(1,), keepdims=False)
    if weight is None:
        return "weight 1", ""
    shown = text(weight)
    return f"weight `{shown}`" if len(shown) < 100 else "weight: the product of the others", _reads(
        (weight,), set()
    )


def _reads(found: tuple[Any, ...], seeds: set[Leaf]) -> str:
    parts: list[Expr] = []
    for c in found:
        parts += [] if c is None else [c.g, c.mask] if isinstance(c, Masked) else [c]
    hidden = {s.operand for s in seeds}
    uses = [(v, only) for v, only in leaves(*parts) if v not in hidden]
    values = {v.name for v, only in uses if not only}
    shapes = {v.name for v, only in uses if only} - values
    return ", ".join([*sorted(values), *(f"shape of {n}" for n in sorted(shapes))])


def text(e: Expr | Masked | Located | None) -> str:
    """Return a formula as NumPy code."""
    match e:
        case None:
            return "-"
        case Masked():
            return f"np.where({text(e.mask)}, {text(e.g)}, 0.0)"
        case Leaf(operand=Literal(value=value)):
            return f"{value:.6g}" if isinstance(value, float) and value != round(value, 4) else repr(value)
        case Apply():
            return _applied(e)
        case _:
            return str(e)


def _applied(e: Apply) -> str:
    types = tuple(a.type for a in e.args)
    spell = e.op.extra.get("spell")
    template = spell(types, e.params) if spell is not None else e.op.spelling
    if "{" not in template:
        params = [f"{k}={v}" for k, v in e.params.items() if v not in (None, False)]
        return f"{template}({', '.join([*map(text, e.args), *params])})"
    inner = [text(a) for a in e.args]
    if not template.startswith(("np.", "math.", "abs(", "max(", "min(")):
        inner = [f"({t})" if _is_compound(a, e) else t for a, t in zip(e.args, inner, strict=True)]
    return string.Formatter().vformat(template, inner, {})


PRECEDENCE = {"add": 1, "subtract": 1, "multiply": 2, "divide": 2, "negative": 3, "power": 4}


def _is_compound(a: Expr, parent: Apply) -> bool:
    if not isinstance(a, Apply) or "{" not in a.op.spelling or "(" in a.op.spelling:
        return False
    mine, outer = PRECEDENCE.get(a.op.name, 0), PRECEDENCE.get(parent.op.name, 0)
    first = parent.args[0] is a
    return not mine or not outer or mine < outer or (mine == outer and not (first and mine < 3))


def operations(ops: dict[str, Op]) -> list[str]:
    """Return the lines of docs/ops.md that tell of operations."""
    lines = [
        "## Operations",
        "",
        "| op | written | derivative | reads | notes |",
        "|---|---|---|---|---|",
    ]
    for op in sorted(ops.values(), key=lambda op: op.name):
        r = row(op)
        derivative = _code(r.derivative, op.kind is Kind.ELEMENTWISE)
        cells = (r.name, _code(r.written), derivative, r.reads, r.notes)
        lines.append("| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |")
    return lines


def _code(cell: str, is_code: bool = True) -> str:
    return f"`{cell}`" if cell and is_code and not cell.startswith("none") else cell
