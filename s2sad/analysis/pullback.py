"""Pullbacks of instructions: what each argument gets of the results' cotangents, as expressions.

The expressions are built once per instruction over placeholders for the cotangents, so that activity,
the plan of what to tape, and the reverse sweep itself all look at the same formulas.
"""

from __future__ import annotations

from typing import Any, Protocol

from s2sad.errors import S2sadError, UnsupportedOp
from s2sad.ir.core import Instr, Literal, Operand, Value
from s2sad.ir.op import Kind
from s2sad.ir.path import Index, Item, New, Span
from s2sad.ops.expr import Apply, Expr, Leaf, Located, Masked, apply, leaves
from s2sad.ops.table import OPS

Contribution = Expr | Located | Masked | None


class Varying(Protocol):
    """Knows through which values derivatives flow."""

    def __contains__(self, a: Operand) -> bool: ...


class Pullbacks:
    """The pullbacks of a function's instructions, memoised. `active`: the values through which derivatives
    flow, once they are known; an op of several results is not told of cotangents that are 0."""

    def __init__(self) -> None:
        self.active: Varying | None = None
        self._found: dict[Instr, tuple[Contribution, ...]] = {}
        self._seeds: dict[Value, Value] = {}

    def seed(self, y: Value) -> Value:
        """Return the placeholder that stands for the cotangent of `y`."""
        if y not in self._seeds:
            self._seeds[y] = Value(f"{y.name}_bar" if y.name else "", y.type)
        return self._seeds[y]

    def of(self, instr: Instr) -> tuple[Contribution, ...]:
        """Return one contribution per argument; None where the argument gets none."""
        if instr not in self._found:
            try:
                found = self._build(instr)
            except S2sadError as error:
                raise error.located(instr.origin) from None
            self._found[instr] = _merge_repeated(instr, found)
        return self._found[instr]

    def has_cotangent(self, instr: Instr, result: Value) -> bool:
        """True unless a result of several is known to have none."""
        return len(instr.results) == 1 or self.active is None or result in self.active

    def reaches(self, instr: Instr) -> tuple[bool, ...]:
        """Return for each argument whether it can get a contribution at all."""
        op = instr.op
        if op.kind is Kind.NONDIFF:
            return (False,) * len(instr.args)
        if op.kind is Kind.LINEAR:
            places = op.linear_args or tuple(range(len(instr.args)))
            gone = overwrites(instr)
            return tuple(k in places and not (gone and k == 0) for k in range(len(instr.args)))
        if op.kind is Kind.REDUCTION:
            return (True, *(False for _ in instr.args[1:]))
        if op.kind is Kind.ELEMENTWISE and len(instr.args) > 1:
            return tuple(c is not None for c in self.of(instr))
        return (True,) * len(instr.args)

    def leaves(self, contribution: Contribution) -> list[tuple[Value, bool]]:
        """Return the primal values a contribution reads, with whether only the shape is read."""
        placeholders = set(self._seeds.values())
        return [use for use in leaves(*parts(contribution)) if use[0] not in placeholders]

    def _build(self, instr: Instr) -> tuple[Contribution, ...]:
        op, params = instr.op, dict(instr.params)
        if op.derivative is None:
            raise UnsupportedOp("S203", f"{op.name} has no derivative rule", origin=instr.origin)
        args = tuple(Leaf(a) for a in instr.args)
        ys = tuple(Leaf(r) for r in instr.results)
        gs = tuple(Leaf(self.seed(r)) if self.has_cotangent(instr, r) else None for r in instr.results)
        y: Any = ys[0] if op.results == 1 else ys
        g: Any = gs[0] if op.results == 1 else gs
        if op.kind is Kind.REDUCTION:
            return (reduced(op.derivative, g, args[0], y, params), *(None for _ in args[1:]))
        if op.kind is Kind.CUSTOM:
            out = op.derivative[1](g, args, y, **params)
        else:
            out = op.derivative(g, *args, y=y, **params)
        found: tuple[Contribution, ...] = out if isinstance(out, tuple) else (out,)
        if "no_rule" in op.extra:  # something flows there: who asks what it is gets an error
            found = tuple(g if k in op.extra["no_rule"] else c for k, c in enumerate(found))
        if instr.op is OPS["setitem"] and instr.role == "tape":  # no entry is written twice
            return (g, *found[1:])
        return (None, *found[1:]) if overwrites(instr) else found


def check_has_rule(instr: Instr, k: int) -> None:
    """Raise UnsupportedOp S203 if argument k has no derivative rule; for arguments that vary."""
    if k in instr.op.extra.get("no_rule", ()):
        name, number = instr.op.spelling or instr.op.name, k + 1
        if instr.op is OPS["draw"]:  # a method
            name, number = f"a draw by `{instr.param('method')}`", k
        why = f"{name} has no derivative rule for its argument {number}, which varies here"
        raise UnsupportedOp(
            "S203", why, "stop_gradient(...) around the argument makes it a constant", instr.origin
        )


def overwrites(instr: Instr) -> bool:
    """True for a write to all elements of an array: nothing of what was there is left."""
    if instr.op is not OPS["setitem"]:
        return False
    steps = (s.items if isinstance(s, Index) else () for s in instr.param("path"))
    return all(item == Span() or item == New() for items in steps for item in items)


def parts(contribution: Contribution) -> tuple[Expr, ...]:
    """Return the expressions a contribution is made of."""
    match contribution:
        case Located(g=g, operands=operands):
            return (g, *operands)
        case Masked(g=g, mask=mask):
            return (g, mask)
        case Expr():
            return (contribution,)
        case _:
            return ()


def reduced(weigh: Any, g: Expr, x: Expr, y: Expr, params: dict[str, Any]) -> Expr:
    """Return the contribution to the argument of a reduction."""
    weight = weigh(x, y=kept(y, x, params), **params)
    wide = kept(g, x, params)
    return wide if weight is None else weight * wide


def kept(y: Expr, x: Expr, params: dict[str, Any]) -> Expr:
    """Return a reduction's result with the reduced axes as axes of size 1."""
    axis = params.get("axis")
    if not y.is_array or params.get("keepdims") or axis is None:
        return y
    gone = {axis} if isinstance(axis, int) else set(axis)
    items: list[Item] = [New() if k in gone else Span() for k in range(x.ndim)]
    return apply("getitem", y, path=(Index(tuple(items)),))


def same(a: Expr, b: Expr) -> bool:
    """Return True if two expressions are the same formula."""
    if isinstance(a, Leaf) and isinstance(b, Leaf):
        return a.operand == b.operand if isinstance(a.operand, Literal) else a.operand is b.operand
    if not (isinstance(a, Apply) and isinstance(b, Apply)):
        return False
    if a.op is not b.op or a.params != b.params or a.index != b.index or len(a.args) != len(b.args):
        return False
    return all(map(same, a.args, b.args))


def _merge_repeated(instr: Instr, found: tuple[Contribution, ...]) -> tuple[Contribution, ...]:
    """`x * x` contributes `2.0 * x * g` once rather than `x * g` twice."""
    out = list(found)
    for k, c in enumerate(out):
        for j in range(k):
            first = out[j]
            if instr.args[j] is not instr.args[k]:
                continue
            if isinstance(c, Expr) and isinstance(first, Expr) and same(first, c):
                out[j], out[k] = _doubled(first), None
                break
    return tuple(out)


def _doubled(e: Expr) -> Expr:
    if isinstance(e, Apply) and e.op.name == "multiply":
        return 2.0 * e.args[0] * e.args[1]
    return 2.0 * e
