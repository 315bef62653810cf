"""Expressions: what rules and composites compute with.

An Expr is an immutable, typed tree over IR operands. Building one emits nothing; `lower` appends
the instructions of a tree to a builder, each shared subtree once. So a rule can be asked which
primal values it reads (`leaves`) before anything is emitted.

    >>> from s2sad.ir.core import Value
    >>> from s2sad.ir.types import WEAK_FLOAT
    >>> x = Leaf(Value("x", WEAK_FLOAT))
    >>> str(x * (1 - x))
    'multiply(x, subtract(1, x))'
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from s2sad.ir.builder import Builder, Sizes, infer
from s2sad.ir.core import Literal, Operand, Value
from s2sad.ir.size import Size
from s2sad.ir.types import Array, Dtype, Type
from s2sad.ops.table import OPS


class Expr:
    """A typed expression. Operators and the functions of this module build larger ones."""

    __slots__ = ("type",)
    type: Type

    @property
    def ndim(self) -> int:
        """Return the rank."""
        return self.type.ndim

    @property
    def dims(self) -> tuple[Size, ...]:
        """Return the symbolic shape."""
        return self.type.shape

    @property
    def dtype(self) -> Dtype:
        """Return the dtype."""
        return self.type.dtype

    @property
    def is_array(self) -> bool:
        """True for arrays, False for scalars."""
        return isinstance(self.type, Array)

    def __add__(self, o: Any) -> Expr:
        return apply("add", self, o)

    def __radd__(self, o: Any) -> Expr:
        return apply("add", o, self)

    def __sub__(self, o: Any) -> Expr:
        return apply("subtract", self, o)

    def __rsub__(self, o: Any) -> Expr:
        return apply("subtract", o, self)

    def __mul__(self, o: Any) -> Expr:
        return apply("multiply", self, o)

    def __rmul__(self, o: Any) -> Expr:
        return apply("multiply", o, self)

    def __truediv__(self, o: Any) -> Expr:
        return apply("divide", self, o)

    def __rtruediv__(self, o: Any) -> Expr:
        return apply("divide", o, self)

    def __floordiv__(self, o: Any) -> Expr:
        return apply("floor_divide", self, o)

    def __rfloordiv__(self, o: Any) -> Expr:
        return apply("floor_divide", o, self)

    def __mod__(self, o: Any) -> Expr:
        return apply("remainder", self, o)

    def __rmod__(self, o: Any) -> Expr:
        return apply("remainder", o, self)

    def __pow__(self, o: Any) -> Expr:
        return apply("power", self, o)

    def __rpow__(self, o: Any) -> Expr:
        return apply("power", o, self)

    def __matmul__(self, o: Any) -> Expr:
        return apply("matmul", self, o)

    def __neg__(self) -> Expr:
        return apply("negative", self)

    def __lt__(self, o: Any) -> Expr:
        return apply("less", self, o)

    def __le__(self, o: Any) -> Expr:
        return apply("less_equal", self, o)

    def __gt__(self, o: Any) -> Expr:
        return apply("greater", self, o)

    def __ge__(self, o: Any) -> Expr:
        return apply("greater_equal", self, o)

    def eq(self, o: Any) -> Expr:
        """Return elementwise `self == o` (`==` itself compares identity)."""
        return apply("equal", self, o)

    def ne(self, o: Any) -> Expr:
        """Return elementwise `self != o`."""
        return apply("not_equal", self, o)


class Leaf(Expr):
    """An operand: a primal value, a seed, a literal."""

    __slots__ = ("operand",)

    def __init__(self, operand: Operand):
        self.operand = operand
        self.type = operand.type

    def __str__(self) -> str:
        op = self.operand
        return repr(op.value) if isinstance(op, Literal) else op.name or "_"

    @property
    def is_literal(self) -> bool:
        """True for a Python number written in the program."""
        return isinstance(self.operand, Literal)


class Unclear(Leaf):
    """Complex numbers of a list, some of which are Python's: NumPy makes no real numbers of those."""

    __slots__ = ()


class Apply(Expr):
    """Op `op` applied to `args`; `index` selects a result of a multi-result op."""

    __slots__ = ("args", "index", "key", "op", "params")

    def __init__(self, op: str, args: tuple[Expr, ...], params: dict[str, Any], index: int = 0):
        self.op, self.args, self.params, self.index = OPS[op], args, params, index
        self.type = infer(self.op, tuple(a.type for a in args), params, _sizes())[index]
        self.key: object = None

    def __str__(self) -> str:
        inside = [str(a) for a in self.args] + [f"{k}={v}" for k, v in self.params.items()]
        return f"{self.op.name}({', '.join(inside)})"


class Located:
    """A cotangent contribution to a part of an argument: accumulate `g` at `path` (with `operands`)."""

    __slots__ = ("g", "operands", "path")

    def __init__(self, g: Expr, path: Any, operands: tuple[Expr, ...]):
        self.g, self.path, self.operands = g, path, operands


class Masked:
    """A cotangent contribution that is exactly 0 where `mask` is False, whatever `g` is there
    (inf and nan included). Elementwise pullbacks map `g`; the mask is applied last, by selection."""

    __slots__ = ("g", "mask")

    def __init__(self, g: Expr, mask: Expr):
        self.g, self.mask = g, mask


def apply(op: str, *args: Any, **params: Any) -> Expr:
    """Return op applied to expressions or Python numbers; params are static."""
    return Apply(op, tuple(lift(a) for a in args), params)


def apply_all(op: str, *args: Any, **params: Any) -> tuple[Expr, ...]:
    """Return all results of a multi-result op."""
    lifted = tuple(lift(a) for a in args)
    first = Apply(op, lifted, params)
    key = object()
    first.key = key
    results: list[Expr] = [first]
    for k in range(1, OPS[op].results):
        other = Apply(op, lifted, params, k)
        other.key = key
        results.append(other)
    return tuple(results)


def lift(x: Any) -> Expr:
    """Return `x` as an expression: Expr, operand or Python number."""
    if isinstance(x, Expr):
        return x
    if isinstance(x, Value | Literal):
        return Leaf(x)
    if isinstance(x, np.generic) or not isinstance(x, bool | int | float | complex):
        raise TypeError(f"{x!r} is not a Python number")
    return Leaf(Literal(x))


def leaves(*exprs: Expr) -> Iterator[tuple[Value, bool]]:
    """Yield (value, shape_only) for each use of an IR value in the trees."""
    seen: set[int] = set()

    def visit(e: Expr, shape_only: bool) -> Iterator[tuple[Value, bool]]:
        if isinstance(e, Leaf):
            if isinstance(e.operand, Value):
                yield e.operand, shape_only
        elif isinstance(e, Apply) and (id(e) not in seen or shape_only):
            seen.add(id(e))
            for k, arg in enumerate(e.args):
                yield from visit(arg, k in e.op.shape_args)

    for e in exprs:
        yield from visit(e, False)


def lower(
    expr: Expr,
    builder: Builder,
    fetch: Callable[[Value], Operand] = lambda v: v,
    fetch_shape: Callable[[Value], Operand] | None = None,
    name: str = "",
    memo: dict[object, tuple[Operand, ...]] | None = None,
) -> Operand:
    """Append the instructions of `expr` and return its value. `fetch` supplies operands for the
    leaves, `fetch_shape` those of which only the shape is read; `name` names the root's result."""
    memo = {} if memo is None else memo

    def visit(e: Expr, shape_only: bool, hint: str) -> Operand:
        if isinstance(e, Leaf):
            if isinstance(e.operand, Literal):
                return e.operand
            return (fetch_shape or fetch)(e.operand) if shape_only else fetch(e.operand)
        assert isinstance(e, Apply)
        key = e.key or e
        if key not in memo:
            args = [visit(a, k in e.op.shape_args, "") for k, a in enumerate(e.args)]
            names = (hint,) * e.op.results if e.op.results == 1 else ()
            memo[key] = builder.emit_all(e.op, *args, names=names, **e.params)
        return memo[key][e.index]

    return visit(expr, False, name)


class _Scratch(Sizes):
    """Symbols of trees not lowered yet: different from all symbols of any function."""

    def fresh(self) -> Size:
        self.count += 1
        return Size.symbol(f"?scratch{self.count}")

    def fresh_int(self) -> Size:
        self.count += 1
        return Size.symbol(f"$scratch{self.count}")


_SCRATCH = _Scratch()


def _sizes() -> Sizes:
    # Types of unlowered trees use scratch symbols: lowering infers them again with its own.
    return _SCRATCH


__all__ = ["Apply", "Expr", "Leaf", "Located", "Masked", "apply", "apply_all", "leaves", "lift", "lower"]
