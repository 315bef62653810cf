"""What an instruction computes at one index along an axis: the same, of operands with an axis less.

y = np.sum(w * x, axis=2)      at index i of axis 1:     np.sum(w[i] * x[:, i], axis=1)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from s2sad.ir.builder import Builder
from s2sad.ir.core import Instr, Operand, Value
from s2sad.ir.path import At, Index, New, Path, Permute, Span
from s2sad.ir.size import Size
from s2sad.ir.types import Array, Scalar, Type
from s2sad.lowering.elementwise import is_elementwise
from s2sad.ops.linalg import split_subscripts
from s2sad.ops.table import OPS
from s2sad.record import dataclass, replace

REDUCTIONS = ("sum", "mean", "prod", "max", "min", "any", "all", "count_nonzero", "norm")
WHOLE = Span()


@dataclass(frozen=True, slots=True)
class Course:
    """An axis of the result and the axes of the operands that run along with it; None for an operand that
    is read whole at each index."""

    result: int
    args: tuple[int | None, ...]

    def keeps(self, instr: Instr, n: Size) -> bool:
        """True if the axis has `n` entries in the result, and that many or one in the operands."""
        if instr.result.type.shape[self.result] != n:
            return False
        sizes = [a.type.shape[k] for a, k in zip(instr.args, self.args, strict=True) if k is not None]
        return all(size == n or size.is_one for size in sizes)


def courses(instr: Instr) -> list[Course]:
    """Return the axes of the result along which each entry depends on that entry of the operands alone."""
    if len(instr.results) != 1 or not isinstance(instr.result.type, Array) or not instr.op.pure:
        return []
    name = instr.op.name
    if is_elementwise(instr.op) or (name == "accum" and instr.param("path") == ()):
        return _aligned(instr, instr.result.type.ndim)
    if name == "matmul":
        return _aligned(instr, instr.result.type.ndim - 2) if _are_matrices(instr) else []
    find = _FOUND.get(name, _of_reduction if name in REDUCTIONS else None)
    return find(instr) if find is not None else []


def without(t: Type, axis: int) -> Type:
    """Return the type of an entry of an array along an axis."""
    shape = (*t.shape[:axis], *t.shape[axis + 1 :])
    return Array(t.dtype, shape) if shape else Scalar(t.dtype)


def part(b: Builder, whole: Value, axis: int, i: Operand) -> Value:
    """Append a read of the entry of an array at index `i` of an axis."""
    items = [At() if k == axis else WHOLE for k in range(whole.type.ndim)]
    found = b.emit(OPS["getitem"], whole, i, path=(Index(tuple(items)),))
    kept = b.retype(found, without(whole.type, axis))
    assert isinstance(kept, Value)
    return kept


def placed(b: Builder, whole: Value, axis: int, i: Operand, entry: Operand) -> Value:
    """Append a write of the entry at index `i` of an axis."""
    items = [At() if k == axis else WHOLE for k in range(whole.type.ndim)]
    return b.emit(OPS["setitem"], whole, entry, i, name=whole.name, path=(Index(tuple(items)),))


def entry(b: Builder, instr: Instr, course: Course, args: Sequence[Operand]) -> Operand:
    """Append what computes one entry of the result from those of the operands."""
    params = dict(instr.params)
    match instr.op.name:
        case "getitem":
            params["path"] = _path_without(params["path"], course)
            if not params["path"]:
                return args[0]
        case "einsum":
            params["subscripts"] = _subscripts_without(params["subscripts"], course)
        case name if name in REDUCTIONS:
            axis = course.args[0]
            assert axis is not None
            params["axis"] = tuple(k - (k > axis) for k in params["axis"])
    found = b.emit(instr.op, *args, name=instr.result.name, **params)
    return b.retype(found, without(instr.result.type, course.result))


def _aligned(instr: Instr, count: int) -> list[Course]:
    """The first `count` axes of a result whose operands are broadcast to it."""
    rank = instr.result.type.ndim
    places = [tuple(k - (rank - a.type.ndim) for a in instr.args) for k in range(count)]
    return [Course(k, tuple(i if i >= 0 else None for i in place)) for k, place in enumerate(places)]


def _are_matrices(instr: Instr) -> bool:
    return all(a.type.ndim >= 2 for a in instr.args)


def _of_reduction(instr: Instr) -> list[Course]:
    axes = instr.param("axis")
    if axes is None or len(instr.args) != 1:
        return []
    kept = [k for k in range(instr.args[0].type.ndim) if instr.param("keepdims") or k not in axes]
    return [Course(place, (k,)) for place, k in enumerate(kept) if k not in axes]


def _of_einsum(instr: Instr) -> list[Course]:
    inputs, output = split_subscripts(instr.param("subscripts"))
    found: list[Course] = []
    for k, label in enumerate(output):
        parts = [s for s in inputs if label in s]
        if all(s.count(label) == 1 and len(s) > 1 for s in parts):
            found.append(Course(k, tuple(s.index(label) if label in s else None for s in inputs)))
    return found


def _of_getitem(instr: Instr) -> list[Course]:
    path: Path = instr.param("path")
    if len(path) != 1 or instr.args[0].type.ndim < 2:
        return []
    (step,) = path
    rest: tuple[None, ...] = (None,) * (len(instr.args) - 1)
    if isinstance(step, Permute):
        return [Course(k, (axis, *rest)) for k, axis in enumerate(step.axes)]
    if not all(isinstance(item, At | New | Span) for item in step.items):
        return []
    found: list[Course] = []
    source = place = 0
    for item in step.items:
        if item == WHOLE:
            found.append(Course(place, (source, *rest)))
        source += not isinstance(item, New)
        place += not isinstance(item, At)
    return found


_FOUND: dict[str, Callable[[Instr], list[Course]]] = {"einsum": _of_einsum, "getitem": _of_getitem}


def _path_without(path: Path, course: Course) -> Path:
    """The path of an entry: without the step along the axis."""
    (step,) = path
    axis = course.args[0]
    assert axis is not None
    if isinstance(step, Permute):
        rest = [k - (k > axis) for k in step.axes if k != axis]
        return (Permute(tuple(rest)),) if rest != sorted(rest) else ()
    items: list[Any] = []
    source = 0
    for item in step.items:
        if isinstance(item, New) or source != axis:
            items.append(item)
        source += not isinstance(item, New)
    return (replace(step, items=tuple(items)),) if any(item != WHOLE for item in items) else ()


def _subscripts_without(subscripts: str, course: Course) -> str:
    return subscripts.replace(split_subscripts(subscripts)[1][course.result], "")
