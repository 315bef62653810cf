"""What an operation IS: a record. Which operations EXIST is told by `s2sad.ops`.

Every instruction carries its Op, so analyses and passes read columns (`instr.op.pure`) and never
import the table.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import field
from enum import Enum
from typing import Any

from s2sad.ir.types import Type
from s2sad.record import dataclass

ONCE = math.inf  # cost of what is never to be computed again


class Kind(Enum):
    """How the derivative of an op is declared (see ops/README.md)."""

    ELEMENTWISE = "elementwise"  # derivative(g, *args, y) -> one partial per argument, or one
    REDUCTION = "reduction"  # derivative(*args, y, **params) -> weight of the first argument's shape
    LINEAR = "linear"  # its own jvp in `linear_args`; derivative(g, *args, y, **params) -> cotangents
    BILINEAR = "bilinear"  # linear in each argument by itself; derivative gives the cotangents
    CUSTOM = "custom"  # derivative is a pair (jvp, vjp) of functions
    NONDIFF = "nondiff"  # cuts the derivative: integers, booleans, shapes, argmax, floor
    CONTROL = "control"  # owns blocks: if, for, while, call


class Alias(Enum):
    """What the result's memory has to do with the first argument's, under NumPy."""

    FRESH = "fresh"
    SAME = "same"  # may return the argument itself
    VIEW = "view"  # a writeable view
    READONLY = "readonly"  # a view that must not be written
    MAYBE = "maybe"  # a view where strides allow, else a copy
    INPLACE = "inplace"  # the first argument itself, updated


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """One operation. `evaluate(*args, **params)` is its meaning, in NumPy, on functional values:
    it never modifies an argument. Instances compare by identity."""

    name: str
    kind: Kind
    evaluate: Callable[..., Any]
    spelling: str = ""  # "{} * {}", or the callable's text: "np.tanh"; how emit prints it
    derivative: Any = None
    shape: Callable[..., Any] | None = None  # (*arg types, **params) -> result shape (tuple of Size)
    infer: Callable[..., tuple[Type, ...]] | None = None  # overrides sampling: full result types
    linear_args: tuple[int, ...] = ()  # jointly linear arguments; () with LINEAR means all
    shape_args: tuple[int, ...] = ()  # arguments of which only the shape is read
    alias: Alias = Alias.FRESH
    pure: bool = True  # no effect, never raises for reasons other than its arguments
    commutes: bool = False
    cost: float = 1  # flops per element; 0: free (a view, a shape); ONCE: not to be computed again
    results: int = 1
    doc: str = ""
    callables: tuple[Any, ...] = ()  # NumPy/Python objects that mean this op when called
    extra: dict[str, Any] = field(default_factory=dict)  # test domain, kinks, lowering hint

    def __repr__(self) -> str:
        return f"<Op {self.name}>"

    def __reduce__(self) -> str:
        raise TypeError("an Op is looked up by name, not pickled")
