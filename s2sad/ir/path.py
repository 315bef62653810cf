"""Paths: which part of an array a `getitem`, `setitem` or `accum` touches.

A path is a tuple of steps applied one after the other, so that a whole chain of views is one
operation (`x[1:-1].T[k]`). Dynamic parts (ints, slice bounds, index arrays) are operands of the
instruction, taken in the order in which the path mentions them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from s2sad.ir.size import Size, slice_length
from s2sad.ir.types import Scalar, Type
from s2sad.record import dataclass


@dataclass(frozen=True, slots=True)
class At:
    """An integer index; one operand. Negative values count from the end, as in NumPy."""


@dataclass(frozen=True, slots=True)
class Span:
    """A slice; one operand for each bound that is present, in the order lo, hi, step."""

    lo: bool = False
    hi: bool = False
    step: bool = False


@dataclass(frozen=True, slots=True)
class New:
    """`np.newaxis`."""


@dataclass(frozen=True, slots=True)
class Fancy:
    """An index array; one operand: an int array, or a bool mask that takes `ndim` dimensions."""

    mask: bool = False
    ndim: int = 1  # dimensions of the indexed array it consumes (a mask's rank; 1 for ints)
    distinct: bool = False  # ints that are all different, in a step that has no more of them than this one


Item = At | Span | New | Fancy


@dataclass(frozen=True, slots=True)
class Index:
    """`x[items]`, with one item per dimension: no ellipsis, missing trailing dimensions spelled out."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Permute:
    """`np.transpose(x, axes)`."""

    axes: tuple[int, ...]


Step = Index | Permute
Path = tuple[Step, ...]


def operand_count(path: Path) -> int:
    """Return how many operands the path takes."""
    return sum(_takes(item) for step in path if isinstance(step, Index) for item in step.items)


def _takes(item: Item) -> int:
    match item:
        case At() | Fancy():
            return 1
        case Span(lo, hi, step):
            return lo + hi + step
        case _:
            return 0


def is_fancy(path: Path) -> bool:
    """True if an index array occurs: `getitem` then copies, repeated indices are possible."""
    return any(isinstance(item, Fancy) for step in path if isinstance(step, Index) for item in step.items)


def may_repeat(path: Path) -> bool:
    """True if an element can be addressed more than once (an int index array occurs)."""
    for step in path:
        ints = (
            [i for i in step.items if isinstance(i, Fancy) and not i.mask] if isinstance(step, Index) else []
        )
        if ints and not any(i.distinct for i in ints):
            return True
    return False


def selected_axis(path: Path) -> tuple[int, int] | None:
    """Return the axis of `x[path]` that runs over what a mask selects and the mask's position among the
    operands; None where there is no mask, more of the kind, or a later step."""
    if not path or not isinstance(path[-1], Index) or not is_fancy(path) or is_fancy(path[:-1]):
        return None
    items = path[-1].items
    if [i.mask for i in items if isinstance(i, Fancy)] != [True] or any(isinstance(i, At) for i in items):
        return None
    k = next(k for k, i in enumerate(items) if isinstance(i, Fancy))
    return k, operand_count(path[:-1]) + sum(map(_takes, items[:k]))


def numpy_index(step: Index, operands: Sequence[Any]) -> tuple[tuple[Any, ...], Sequence[Any]]:
    """Return the index tuple for NumPy and the operands that are left."""
    index: list[Any] = []
    rest = list(operands)
    for item in step.items:
        match item:
            case At() | Fancy():
                index.append(rest.pop(0))
            case Span():
                bounds = [rest.pop(0) if there else None for there in (item.lo, item.hi, item.step)]
                index.append(slice(*bounds))
            case New():
                index.append(None)
    return tuple(index), rest


def apply(x: Any, path: Path, operands: Sequence[Any]) -> Any:
    """Return the part of the runtime array `x`: a view where NumPy gives one."""
    rest: Sequence[Any] = operands
    for step in path:
        if isinstance(step, Permute):
            x = np.transpose(x, step.axes)
        else:
            index, rest = numpy_index(step, rest)
            x = x[index]
    return x


def assign(x: np.ndarray, path: Path, operands: Sequence[Any], v: Any, how: str = "set") -> None:
    """Write `v` to the part of `x`, in place: how is `set`, `add`, or `at` (np.add.at)."""
    rest: Sequence[Any] = operands
    index: tuple[Any, ...] = (...,)
    for k, step in enumerate(path):
        if isinstance(step, Permute):
            x = np.transpose(x, step.axes)
            continue
        index, rest = numpy_index(step, rest)
        if k < len(path) - 1:
            x = x[index]
            index = (...,)
    if how == "set":
        x[index] = v
    elif how == "add":
        x[index] += v
    else:
        np.add.at(x, index, v)


def shape_of(
    shape: tuple[Size, ...], path: Path, operands: Sequence[Type], fresh: Callable[[], Size]
) -> tuple[Size, ...]:
    """Return the shape of the part of an array of the given shape; operand types tell known ints."""
    rest = list(operands)
    for step in path:
        if isinstance(step, Permute):
            shape = tuple(shape[a] for a in step.axes)
        else:
            shape = _indexed(shape, step.items, rest, fresh)
    return shape


def _indexed(
    shape: tuple[Size, ...], items: tuple[Item, ...], rest: list[Type], fresh: Callable[[], Size]
) -> tuple[Size, ...]:
    dims = list(shape)
    out: list[Size] = []
    fancy: list[tuple[Size, ...]] = []
    where: list[int] = []  # positions among items of everything NumPy counts as advanced
    place = 0
    has_fancy = any(isinstance(i, Fancy) for i in items)
    for k, item in enumerate(items):
        match item:
            case New():
                out.append(Size.of(1))
            case At():
                dims.pop(0)
                rest.pop(0)
                if has_fancy:  # an int beside an index array is an index array of rank 0
                    where.append(k)
                    if not fancy:
                        place = len(out)
                    fancy.append(())
            case Span():
                n = dims.pop(0)
                bounds = [rest.pop(0) if b else None for b in (item.lo, item.hi, item.step)]
                known = [_size(b) if b is not None else None for b in bounds]
                told = all(b is None or k is not None for b, k in zip(bounds, known, strict=True))
                length = slice_length(n, *known) if told else None
                out.append(fresh() if length is None else length)
            case Fancy():
                operand = rest.pop(0)
                where.append(k)
                if not fancy:
                    place = len(out)
                if item.mask:
                    del dims[: item.ndim]
                    fancy.append((fresh(),))
                else:
                    dims.pop(0)
                    fancy.append(operand.shape)
    out += dims
    if not has_fancy:
        return tuple(out)
    joined = broadcast(fancy, fresh)
    if where != list(range(where[0], where[-1] + 1)):  # separated: NumPy puts them first
        place = 0
    return (*out[:place], *joined, *out[place:])


def _size(t: Type | None) -> Size | None:
    return t.size if isinstance(t, Scalar) and t.dtype.kind in "iu" else None


def broadcast(shapes: Sequence[tuple[Size, ...]], fresh: Callable[[], Size]) -> tuple[Size, ...]:
    """Return the broadcast shape; a dimension whose outcome is not provable gets a fresh size."""
    rank = max((len(s) for s in shapes), default=0)
    out: list[Size] = []
    for axis in range(-rank, 0):
        dims = [s[axis] for s in shapes if len(s) >= -axis]
        dims = [d for d in dims if not d.is_one] or [Size.of(1)]
        consts = [d for d in dims if d.is_const]
        if all(d == dims[0] for d in dims):
            out.append(dims[0])
        elif consts:  # a known size other than 1 decides: the others are equal to it, or 1
            out.append(consts[0])
        else:
            out.append(fresh())
    return tuple(out)


def full(ndim: int) -> Path:
    """Return the path `[:, :, ...]` over `ndim` dimensions."""
    return (Index((Span(),) * ndim),)


def undone(path: Path, shape: tuple[Size, ...], operands: Sequence[Any]) -> Path | None:
    """Return the path that takes `x[path]` back to an `x` of this shape, with a literal 0 for each operand;
    None where the path leaves something out. A literal index in `operands` has a `value`."""
    steps: list[Step] = []
    rest = list(operands)
    for step in path:
        if isinstance(step, Permute):
            steps.append(Permute(tuple(step.axes.index(k) for k in range(len(step.axes)))))
            shape = tuple(shape[k] for k in step.axes)
            continue
        dims = list(shape)
        left: list[Size] = []
        items: list[Item] = []
        for item in step.items:
            if item == New():
                left.append(Size.of(1))
                items.append(At())
            elif item == Span():
                left.append(dims.pop(0))
                items.append(Span())
            elif item == At() and dims.pop(0).is_one and getattr(rest.pop(0), "value", None) == 0:
                items.append(New())
            else:
                return None
        steps.append(Index(tuple(items)))
        shape = tuple(left)
    return tuple(reversed(steps))
