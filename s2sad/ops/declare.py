"""The words in which ops are declared: elementwise, reduction, linear, bilinear, custom, nondiff.

Each returns the registered Op. Keyword columns: `commutes`, `cost`, `alias`, `shape_args`, `infer`,
`results`, `doc` are fields of Op; `domain`, `kinks`, `linear`, `no_rule`, `spell`, `print`, `defaults`,
`size`, `refine`, `bilinear`, `undoes` go to `Op.extra` (README.md says what they mean).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from s2sad.errors import UnsupportedOp
from s2sad.ir import path as paths
from s2sad.ir.builder import Sizes, result_type
from s2sad.ir.core import Literal
from s2sad.ir.op import Kind, Op
from s2sad.ir.size import Size
from s2sad.ir.types import Array, Scalar, Type
from s2sad.ops.expr import Expr, Leaf
from s2sad.ops.table import register

Types = tuple[Type, ...]
Params = dict[str, Any]
Shape = tuple[Size, ...]
Infer = Callable[[Types, Params, Sizes], Types]

EXTRA = (
    "bilinear",
    "defaults",
    "domain",
    "kinks",
    "linear",
    "no_rule",
    "print",
    "refine",
    "size",
    "spell",
    "undoes",
)


def declare(kind: Kind, name: str, evaluate: Any, spelling: str, columns: dict[str, Any]) -> Op:
    """Return a registered op; columns that Op has no field for go to `extra`."""
    extra = {key: columns.pop(key) for key in EXTRA if key in columns}
    return register(Op(name, kind, evaluate, spelling, extra=extra, **columns))


def elementwise(name: str, evaluate: Any, derivative: Any, spelling: str = "", **columns: Any) -> Op:
    """Return an op that works element by element, with broadcasting."""
    columns.setdefault("shape", broadcast_shape)
    return declare(Kind.ELEMENTWISE, name, evaluate, spelling, columns | {"derivative": derivative})


def reduction(name: str, evaluate: Any, weight: Any, spelling: str = "", **columns: Any) -> Op:
    """Return an op that reduces its argument along `axis`; y_dot = sum(weight * x_dot)."""
    columns.setdefault("infer", reduced(evaluate))
    columns.setdefault("defaults", {"keepdims": False})
    return declare(Kind.REDUCTION, name, evaluate, spelling, columns | {"derivative": weight})


def linear(name: str, evaluate: Any, transpose: Any, spelling: str = "", **columns: Any) -> Op:
    """Return an op that is its own jvp in `linear_args` jointly."""
    return declare(Kind.LINEAR, name, evaluate, spelling, columns | {"derivative": transpose})


def bilinear(name: str, evaluate: Any, transpose: Any, spelling: str = "", **columns: Any) -> Op:
    """Return an op that is linear in each argument by itself."""
    return declare(Kind.BILINEAR, name, evaluate, spelling, columns | {"derivative": transpose})


def custom(name: str, evaluate: Any, jvp: Any, vjp: Any, spelling: str = "", **columns: Any) -> Op:
    """Return an op whose two derivatives are functions of their own."""
    return declare(Kind.CUSTOM, name, evaluate, spelling, columns | {"derivative": (jvp, vjp)})


def nondiff(name: str, evaluate: Any, spelling: str = "", **columns: Any) -> Op:
    """Return an op that cuts the derivative."""
    if "infer" not in columns:
        columns.setdefault("shape", broadcast_shape)
    return declare(Kind.NONDIFF, name, evaluate, spelling, columns)


def refuse(name: str, instead: str = "") -> Callable[..., NoReturn]:
    """Return a derivative that says there is none (S203)."""

    def derivative(*args: Any, **params: Any) -> NoReturn:
        raise UnsupportedOp("S203", f"{name} has no derivative rule", instead)

    return derivative


def broadcast_shape(types: Types, params: Params, sizes: Sizes) -> Shape:
    """Return the shape that the operands broadcast to."""
    return paths.broadcast([t.shape for t in types], sizes.fresh)


def shaped(evaluate: Any, shape: Callable[[Types, Params, Sizes], Shape]) -> Infer:
    """Return an infer that asks NumPy for dtype and kind and `shape` for the sizes. Unlike
    `Op.shape` it does not say that the operands broadcast."""

    def infer(types: Types, params: Params, sizes: Sizes) -> Types:
        t = result_type(evaluate, types, params)
        return (Array(t.dtype, shape(types, params, sizes)) if isinstance(t, Array) else t,)

    return infer


def reduced(evaluate: Any) -> Infer:
    """Return the infer of a reduction of the first operand along `axis`."""
    return shaped(evaluate, lambda types, params, sizes: reduced_shape(types[0].shape, **params))


def reduced_shape(
    shape: Shape, axis: int | tuple[int, ...] | None = None, keepdims: bool = False, **others: Any
) -> Shape:
    """Return the shape of a reduction's result."""
    axes = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    if keepdims:
        return tuple(Size.of(1) if k in axes else n for k, n in enumerate(shape))
    return tuple(n for k, n in enumerate(shape) if k not in axes)


def meet(sizes: Sizes, *shapes: Shape) -> tuple[Shape, ...]:
    """Return shapes that are about to be broadcast together as they are known after that."""
    sizes.meet(shapes, sizes.origin)
    return tuple(tuple(map(sizes.canonical, s)) for s in shapes)


def as_size(t: Type, sizes: Sizes) -> Size:
    """Return the size that an int operand stands for: known, or a fresh symbol."""
    if isinstance(t, Scalar) and t.size is not None:
        return t.size.clamped()
    return sizes.fresh()


def dims_of(types: Types, sizes: Sizes) -> Shape:
    """Return the shape that int operands spell out."""
    return tuple(as_size(t, sizes) for t in types)


def dtype_text(dtype: Any) -> str:
    """Return how a dtype is written: `np.float32`, `bool`."""
    dtype = np.dtype(dtype)
    return "bool" if dtype.kind == "b" else f"np.{dtype.name}"


def spell_axis(name: str, default: int | None = None) -> Callable[[Types, Params], str]:
    """Return the spell of `np.name(x, ..., axis=k)`, without the axis where NumPy's default says the
    same: `default`, or None for the flattened array."""

    def spell(types: Types, params: Params) -> str:
        axis, rank = params["axis"], types[0].ndim
        implied = axis % rank == default % rank if default is not None else rank == 1
        text = f"np.{name}(" + ", ".join("{}" for _ in types) + ("" if implied else f", axis={axis}")
        return (
            text + "".join(f", {k}={v!r}" for k, v in params.items() if k != "axis" and v is not None) + ")"
        )

    return spell


def all_weak(types: Types) -> bool:
    """Return True if all operands are Python numbers."""
    return all(isinstance(t, Scalar) and t.weak for t in types)


def any_array(types: Types) -> bool:
    """Return True if some operand is an array (0-d ones included)."""
    return any(isinstance(t, Array) for t in types)


def literal_value(e: Expr) -> Any:
    """Return the Python number an Expr is written as, else None."""
    return e.operand.value if isinstance(e, Leaf) and isinstance(e.operand, Literal) else None
