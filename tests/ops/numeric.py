"""Rules run on numbers: expression trees are evaluated with NumPy, without transforms or emission.

`Case` is one op with arguments; `tangent` and `cotangents` are what its rule says; `derivative_of`
differentiates a formula once more, by the rules of the ops in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from s2sad.ir import path as paths
from s2sad.ir.core import Value
from s2sad.ir.op import Kind, Op
from s2sad.ir.size import Size
from s2sad.ir.types import Array, Scalar, Type, type_of, without_sizes
from s2sad.ops.expr import Apply, Expr, Leaf, Located, Masked, apply, lift

Env = dict[Value, Any]


@dataclass
class Case:
    """An op, its arguments (numbers and arrays) and params; `active` are the arguments to vary.
    A `Literal` argument is written into the program."""

    op: Op
    args: tuple[Any, ...]
    params: dict[str, Any] = field(default_factory=dict)
    active: tuple[int, ...] | None = None
    literals: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.active is None:
            places = self.op.linear_args or tuple(range(len(self.args)))
            fixed = (*self.literals, *self.op.extra.get("no_rule", ()))
            self.active = tuple(
                k for k in places if np.asarray(self.args[k]).dtype.kind in "fc" and k not in fixed
            )

    @property
    def id(self) -> str:
        """Return a name for the test."""
        shapes = ",".join(kind_name(a) for a in self.args)
        params = ",".join(f"{k}={v}" for k, v in self.params.items())
        return f"{self.op.name}({shapes}){params}"

    def evaluate(self, *args: Any) -> Any:
        """Return the op's value."""
        with np.errstate(all="ignore"):
            return self.op.evaluate(*args, **self.params)


def kind_name(a: Any) -> str:
    """Return a short name of an argument's kind and shape."""
    if isinstance(a, np.ndarray):
        return f"{a.dtype.str[1:]}{list(a.shape)}".replace(" ", "")
    return type(a).__name__


def symbolic(value: Any, name: str, known: bool = False) -> Type:
    """Return the type of a value with symbolic sizes, but 1 where it is 1 (or all of them, if known)."""
    t = type_of(value)
    if not isinstance(t, Array) or known:
        return Scalar(t.dtype, t.weak, Size.of(value)) if isinstance(value, int) and known else t
    shape = tuple(n if n.is_one else Size.symbol(f"{name}.{k}") for k, n in enumerate(t.shape))
    return Array(t.dtype, shape)


@dataclass
class Bound:
    """A case with leaves for its arguments and result, and what they are worth."""

    case: Case
    leaves: tuple[Leaf, ...]
    y: Leaf
    env: Env

    @property
    def y_kept(self) -> Leaf:
        """Return y with reduced axes kept, as reduction rules want it."""
        x = self.env[self.leaves[0].operand]
        params = {**self.case.params, "keepdims": True}
        value = self.case.op.evaluate(x, **params)
        leaf = Leaf(Value("y_kept", symbolic(value, "y_kept")))
        self.env[leaf.operand] = value
        return leaf


def bind(case: Case, known: bool = False) -> Bound:
    """Return the case with typed leaves."""
    leaves, env = [], {}
    for k, a in enumerate(case.args):
        if k in case.literals:
            leaves.append(lift(a))
            continue
        leaf = Leaf(Value(f"a{k}", symbolic(a, f"a{k}", known)))
        env[leaf.operand] = a
        leaves.append(leaf)
    value = case.evaluate(*case.args)
    y = Leaf(Value("y", symbolic(value, "y", known)))
    env[y.operand] = value
    return Bound(case, tuple(leaves), y, env)


def seed(b: Bound, name: str, value: Any, like: Any, known: bool = False) -> Leaf:
    """Return a leaf for a tangent or cotangent of `like`."""
    leaf = Leaf(Value(name, symbolic(value, name, known)))
    b.env[leaf.operand] = value
    return leaf


def evaluate(e: Expr, env: Env, memo: dict[int, Any] | None = None) -> Any:
    """Return the value of an expression; its declared type must be that of the value."""
    memo = {} if memo is None else memo
    if id(e) in memo:
        return memo[id(e)]
    if isinstance(e, Leaf):
        return e.operand.value if e.is_literal else env[e.operand]
    assert isinstance(e, Apply)
    args = [evaluate(a, env, memo) for a in e.args]
    with np.errstate(all="ignore"):
        out = e.op.evaluate(*args, **e.params)
    if e.op.results != 1:
        out = out[e.index]
    check_type(e, out)
    memo[id(e)] = out
    return out


def check_type(e: Apply, value: Any) -> None:
    """Assert that a value has the type that was inferred."""
    found = type_of(value)
    assert without_sizes(found) == without_sizes(e.type), f"{e}: inferred {e.type}, is {found}"
    for n, known in zip(np.shape(value), e.type.shape, strict=True):
        assert not known.is_const or known.const == n, f"{e}: inferred {e.type}, is {found}"


def project(value: Any, primal: Any) -> Any:
    """Return a cotangent in the primal's shape and dtype."""
    x = np.asarray(primal)
    g = np.asarray(value)
    if g.dtype.kind == "c" and x.dtype.kind != "c":
        g = g.real
    g = np.broadcast_to(g, np.broadcast_shapes(g.shape, x.shape))
    lead = g.ndim - x.ndim
    axes = tuple(k for k in range(g.ndim) if k < lead or (x.shape[k - lead] == 1 and g.shape[k] != 1))
    return g.sum(axis=axes, keepdims=True).reshape(x.shape).astype(x.dtype)


def settle(c: Expr | Located | Masked | None, primal: Any, value_of: Callable[[Expr], Any]) -> Any:
    """Return a contribution as an array in the primal's shape and dtype."""
    if c is None:
        return np.zeros_like(np.asarray(primal))
    if isinstance(c, Located):
        out = np.zeros_like(np.asarray(primal))
        paths.assign(out, c.path, [value_of(o) for o in c.operands], value_of(c.g), "at")
        return out
    if isinstance(c, Masked):
        return project(np.where(value_of(c.mask), value_of(c.g), 0.0), primal)
    return project(value_of(c), primal)


def contributions(b: Bound, g: Leaf) -> tuple[Any, ...]:
    """Return what the rule gives each argument for the cotangent g of the result."""
    op, params = b.case.op, b.case.params
    match op.kind:
        case Kind.REDUCTION:
            weight = op.derivative(b.leaves[0], y=b.y_kept, **params)
            full = kept(g, b.leaves[0], params)
            return (full if weight is None else weight * full,)
        case Kind.CUSTOM:
            out = op.derivative[1](g, b.leaves, b.y, **params)
        case _:
            out = op.derivative(g, *b.leaves, y=b.y, **params)
    return out if isinstance(out, tuple) else (out,)


def kept(g: Expr, x: Expr, params: dict[str, Any]) -> Expr:
    """Return a reduction's cotangent with the reduced axes put back."""
    axis = params.get("axis")
    if params.get("keepdims") or not x.ndim or not g.ndim:
        return g
    axes = range(x.ndim) if axis is None else axis
    items = tuple(paths.New() if k in axes else paths.Span() for k in range(x.ndim))
    return apply("getitem", g, path=(paths.Index(items),))


def cotangents(case: Case, y_bar: Any, known: bool = False) -> list[Any]:
    """Return the projected cotangents of all arguments."""
    b = bind(case, known)
    g = seed(b, "g", y_bar, case, known)
    memo: dict[int, Any] = {}
    found = contributions(b, g)
    return settled(case, found, lambda e: evaluate(e, b.env, memo))


def settled(case: Case, found: tuple[Any, ...], value_of: Callable[[Expr], Any]) -> list[Any]:
    """Return the projected contributions to the active arguments, zeros for the others."""
    assert case.active is not None
    return [
        settle(c if k in case.active else None, a, value_of)
        for k, (c, a) in enumerate(zip(found, case.args, strict=True))
    ]


def tangent_expr(
    op: Op, args: tuple[Expr, ...], y: Expr, y_kept: Expr, dots: list[Expr | None], params: Any
) -> Expr:
    """Return the tangent of an op's result, by its rule."""
    zero = [lift(0.0) if not a.is_array else apply("zeros_like", a, dtype=None) for a in args]
    active = [k for k, d in enumerate(dots) if d is not None]
    match op.kind:
        case Kind.ELEMENTWISE:
            parts = []
            for k in active:
                out = op.derivative(dots[k], *args, y=y, **params)
                part = out[k] if isinstance(out, tuple) else out
                if part is not None:
                    parts.append(apply("where", part.mask, part.g, 0.0) if isinstance(part, Masked) else part)
            return sum(parts[1:], parts[0]) if parts else lift(0.0)
        case Kind.REDUCTION:
            weight = op.derivative(args[0], y=y_kept, **params)
            over = {k: params.get(k) for k in ("axis", "keepdims")}
            dot = dots[0]
            assert dot is not None
            return apply("sum", dot if weight is None else weight * dot, **over)
        case Kind.LINEAR:
            places = op.linear_args or range(len(args))
            given = [(dots[k] or zero[k]) if k in places else a for k, a in enumerate(args)]
            return apply(op.name, *given, **params)
        case Kind.BILINEAR:
            parts = [apply(op.name, *args[:k], dots[k], *args[k + 1 :], **params) for k in active]
            return sum(parts[1:], parts[0])
        case Kind.CUSTOM:
            return op.derivative[0](tuple(dots), args, y, **params)
    raise AssertionError(op.kind)


def tangent(case: Case, dots: list[Any], known: bool = False) -> Any:
    """Return the result's tangent for tangents of the arguments (None: not varied)."""
    b = bind(case, known)
    leaves = [None if d is None else seed(b, f"d{k}", d, case, known) for k, d in enumerate(dots)]
    y_kept = b.y_kept if case.op.kind is Kind.REDUCTION else b.y
    e = tangent_expr(case.op, b.leaves, b.y, y_kept, leaves, case.params)
    y = b.env[b.y.operand]
    out = evaluate(e, b.env)
    out = out.real if np.iscomplexobj(out) and not np.iscomplexobj(y) else out
    return np.broadcast_to(out, np.shape(y))


def derivative_of(e: Expr, env: Env, dots: Env, memo: dict[int, Any]) -> Any:
    """Return the directional derivative of an expression's value, None for zero."""
    if isinstance(e, Leaf):
        return None if e.is_literal else dots.get(e.operand)
    if id(e) in memo:
        return memo[id(e)]
    assert isinstance(e, Apply)
    inner = [derivative_of(a, env, dots, memo) if a.dtype.kind in "fc" else None for a in e.args]
    out = None
    places = e.op.linear_args or range(len(inner))
    varies = any(inner[k] is not None for k in places)
    if e.op.kind is not Kind.NONDIFF and e.dtype.kind in "fc" and varies:
        values = tuple(evaluate(a, env) for a in e.args)
        literals = tuple(k for k, a in enumerate(e.args) if isinstance(a, Leaf) and a.is_literal)
        out = tangent(Case(e.op, values, e.params, literals=literals), inner)
        out = out if e.is_array else out[()]
    memo[id(e)] = out
    return out


def cotangents_dot(case: Case, y_bar: Any, x_dots: list[Any]) -> list[Any]:
    """Return how the projected cotangents change when the arguments move along x_dots: the second
    derivative as the rules of the formula's own ops have it."""
    b = bind(case)
    g = seed(b, "g", y_bar, case)
    dots: Env = {leaf.operand: d for leaf, d in zip(b.leaves, x_dots, strict=True) if d is not None}
    dots[b.y.operand] = tangent(case, x_dots)[()]
    found = contributions(b, g)
    for value in b.env:
        if value.name == "y_kept":
            wide = Case(case.op, case.args, {**case.params, "keepdims": True})
            dots[value] = tangent(wide, x_dots)[()]
    memo: dict[int, Any] = {}

    def change(e: Expr) -> Any:
        if e.dtype.kind not in "fc":
            return evaluate(e, b.env)  # indices and masks do not move
        found = derivative_of(e, b.env, dots, memo)
        return np.zeros_like(evaluate(e, b.env)) if found is None else found

    return settled(case, found, change)


def pairing(a: Any, b: Any) -> Any:
    """Return the pairing of a cotangent and a tangent: no conjugation, real part."""
    return np.sum(np.asarray(a) * np.asarray(b)).real if np.size(a) else 0.0
