"""How a lowered function represents the arrays of the source function: strided views of buffers that
exist in memory, and arrays that are computed element by element where they are read."""

from __future__ import annotations

from collections.abc import Callable

from s2sad.ir.core import Literal, Operand, Value
from s2sad.ir.path import Path
from s2sad.ir.types import Array
from s2sad.record import dataclass

Index = tuple[Operand, ...]
Terms = tuple[tuple[int, Operand], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Strided:
    """Element `i` is `base[offsets[b] + sum(i[a] * stride)]` over the pairs (b, stride) in axes[a]."""

    base: Value
    type: Array
    dims: Index  # empty for a whole buffer: its sizes are read when they are asked for
    offsets: Index
    axes: tuple[Terms, ...]
    whole: bool = False
    view: tuple[Strided, Path, Index] | None = None  # parent, path and operands that make it in NumPy


@dataclass(frozen=True, slots=True, eq=False)
class Lazy:
    """An array given by the scalar code of one element. `reads`: the views it reads at its own index;
    `elsewhere`: buffers it reads at other places."""

    type: Array
    dims: Index
    element: Callable[[Index], Operand]
    reads: tuple[Strided, ...] = ()
    elsewhere: tuple[Value, ...] = ()


Rep = Strided | Lazy

ZERO = Literal(0)
ONE = Literal(1)


def whole(base: Value) -> Strided:
    """Return the view of all of a buffer."""
    t = base.type
    assert isinstance(t, Array)
    axes = tuple(((k, ONE),) for k in range(t.ndim))
    return Strided(base, t, (), (ZERO,) * t.ndim, axes, whole=True)
