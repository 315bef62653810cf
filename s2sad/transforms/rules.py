"""Pushforwards of instructions, and the projection of a derivative value onto the type of its primal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from s2sad.analysis.pullback import check_has_rule, kept
from s2sad.errors import UnsupportedOp
from s2sad.ir.builder import Builder
from s2sad.ir.core import Instr, Literal, Operand, Value
from s2sad.ir.op import Alias, Kind
from s2sad.ir.types import Array, Scalar, Type, without_sizes
from s2sad.ops.expr import Apply, Expr, Leaf, Masked, apply, lift
from s2sad.ops.table import OPS
from s2sad.record import replace

Dots = Sequence[Operand | None]


def tangent(instr: Instr, dots: Dots) -> tuple[Expr | None, ...]:
    """Return the tangents of the results for the tangents of the arguments (None: zero)."""
    op, params = instr.op, dict(instr.params)
    if op.derivative is None and op.kind not in (Kind.LINEAR, Kind.BILINEAR):
        raise UnsupportedOp("S203", f"{op.name} has no derivative rule", origin=instr.origin)
    for k, dot in enumerate(dots):
        if dot is not None:
            check_has_rule(instr, k)
    args = tuple(Leaf(a) for a in instr.args)
    ys = tuple(Leaf(r) for r in instr.results)
    y: Any = ys[0] if op.results == 1 else ys
    given = tuple(None if d is None else Leaf(d) for d in dots)
    match op.kind:
        case Kind.ELEMENTWISE:
            found: Any = _elementwise(op.derivative, given, args, y, params)
        case Kind.REDUCTION:
            assert given[0] is not None
            if op.extra.get("linear"):
                return (apply(op.name, given[0], **params),)
            weight = op.derivative(args[0], y=kept(y, args[0], params), **params)
            over = {k: params[k] for k in ("axis", "keepdims") if k in params}
            found = apply("sum", given[0] if weight is None else weight * given[0], **over)
        case Kind.LINEAR:
            found = _linear(instr, given, args, params)
        case Kind.BILINEAR:
            found = _each(instr, given, args, params)
        case _:
            found = op.derivative[0](given, args, y, **params)
    return found if isinstance(found, tuple) else (found,)


def _elementwise(
    derivative: Any, given: tuple[Leaf | None, ...], args: tuple[Leaf, ...], y: Leaf, params: dict[str, Any]
) -> Expr | None:
    total: Expr | None = None
    for k, dot in enumerate(given):
        if dot is None:
            continue
        out = derivative(dot, *args, y=y, **params)
        part = out[k] if isinstance(out, tuple) else out
        if part is None:
            continue
        if isinstance(part, Masked):
            part = apply("where", part.mask, part.g, 0.0)
        total = part if total is None else _plus(total, part)
    return total


def _plus(a: Expr, b: Expr) -> Expr:
    if isinstance(b, Apply) and b.op is OPS["negative"]:
        return a - b.args[0]
    return a + b


def _linear(
    instr: Instr, given: tuple[Leaf | None, ...], args: tuple[Leaf, ...], params: dict[str, Any]
) -> Expr:
    op = instr.op
    if op is OPS["accum"] and given[1] is None:
        assert given[0] is not None
        return given[0]
    places = op.linear_args or tuple(range(len(args)))
    operands: list[Expr] = list(args)
    for k in places:
        dot = given[k]
        if dot is not None:
            operands[k] = _kept_part(instr, dot)
        elif args[k].is_array and not (op.alias is Alias.INPLACE and k):
            operands[k] = apply("zeros_like", args[k], dtype=None)
        else:
            target = args[0] if op.alias is Alias.INPLACE else args[k]  # a complex zero fits in no real array
            operands[k] = lift(zero_literal(target.type))
    return apply(op.name, *operands, **params)


def _kept_part(instr: Instr, dot: Expr) -> Expr:
    """Return the part of a tangent that is kept. `z * 1j` is a number of NumPy's, which may be stored among
    real ones, and its tangent `1j * z_dot` one of Python's, which may not."""
    drops = instr.op.alias is Alias.INPLACE or instr.op.name in ("cast", "to_float")
    is_complex = dot.type.dtype.kind == "c" and not dot.is_array
    return apply("real", dot) if drops and is_complex and instr.results[0].type.dtype.kind != "c" else dot


def _each(
    instr: Instr, given: tuple[Leaf | None, ...], args: tuple[Leaf, ...], params: dict[str, Any]
) -> Expr:
    total: Expr | None = None
    for k, dot in enumerate(given):
        if dot is not None:
            part = apply(instr.op.name, *args[:k], dot, *args[k + 1 :], **params)
            total = part if total is None else total + part
    assert total is not None
    return total


def zero_literal(t: Type) -> float | complex:
    """Return the Python zero for a scalar type."""
    return 0j if t.dtype.kind == "c" else 0.0


def zero(builder: Builder, like: Operand, t: Type | None = None, name: str = "") -> Operand:
    """Append a zero of type `t` (default: that of `like`), in the shape of `like`."""
    t = t or like.type
    if isinstance(t, Scalar):
        value = Literal(zero_literal(t))
        return value if t.weak else widen(builder, value, t, name)
    dtype = None if like.type.dtype == t.dtype else t.dtype
    return builder.retype(builder.emit(OPS["zeros_like"], like, name=name, dtype=dtype), t)


def widen(builder: Builder, a: Operand, t: Type, name: str = "") -> Operand:
    """Append the conversion of a scalar to the scalar type of a join, if it needs one."""
    if without_sizes(a.type) == without_sizes(t):
        return a
    assert isinstance(t, Scalar)
    if isinstance(a, Value) and a.name == name:  # printed as `a` itself
        name = ""
    return builder.emit(OPS["widen"], a, name=name, type=Scalar(t.dtype, t.weak))


def renamed(builder: Builder, a: Operand, name: str) -> Operand:
    """Return `a` under a name, if it is the result appended last and has none."""
    if not isinstance(a, Value) or a.name or not name or not builder.instrs:
        return a
    last = builder.instrs[-1]
    if last.results != (a,):
        return a
    value = Value(name, a.type)
    builder.instrs[-1] = replace(last, results=(value,))
    return value


def conform(builder: Builder, a: Operand, primal: Operand, name: str = "") -> Operand:
    """Return `a`, the tangent of `primal`, in exactly the primal's type and shape."""
    t = primal.type
    if a.type.dtype.kind == "c" and t.dtype.kind != "c":
        a = builder.emit(OPS["real"], a, name=name)
    if isinstance(t, Array):
        if not isinstance(a.type, Array) or a.type.shape != t.shape:
            a = builder.emit(OPS["broadcast_like"], a, primal, name=name)
        if a.type.dtype != t.dtype:
            a = builder.emit(OPS["cast"], a, name=name, dtype=t.dtype)
        return builder.retype(a, t)
    return scalar_as(builder, a, t, name)


def scalar_as(builder: Builder, a: Operand, t: Type, name: str = "") -> Operand:
    """Return a scalar converted to the scalar type `t`."""
    assert isinstance(t, Scalar)
    if isinstance(a.type, Array) and not t.weak:
        a = builder.emit(OPS["item0"], a, name=name)
    if isinstance(a.type, Scalar) and (a.type.dtype, a.type.weak) == (t.dtype, t.weak):
        return a
    if t.weak:
        return builder.emit(OPS["to_complex" if t.dtype.kind == "c" else "to_float"], a, name=name)
    if isinstance(a, Literal) or (isinstance(a.type, Scalar) and a.type.weak):
        return widen(builder, a, t, name)
    return builder.emit(OPS["cast"], a, name=name, dtype=np.dtype(t.dtype))
