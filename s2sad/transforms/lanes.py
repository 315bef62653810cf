"""Rules of ops on values with a leading axis for many seeds: what an op on one becomes on all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from s2sad.ir import path as paths
from s2sad.ir.builder import Builder
from s2sad.ir.core import Instr, Literal, Operand, Value
from s2sad.ir.op import Kind, Op
from s2sad.ir.path import At, Fancy, Index, New, Path, Permute, Span
from s2sad.ir.size import Size
from s2sad.ir.types import Array
from s2sad.ops.table import OPS


class Unbatchable(Exception):
    """A seed decides on the course of the function, or a size is not known where it is needed."""


class NoRule(Exception):
    """The rule does not cover these operands: the op becomes a loop."""


class Lanes:
    """What the rules work with. `new` has the version with a leading axis of each value that has one."""

    count: Operand

    def __init__(self, size: Size):
        self.size = size
        self.new: dict[Operand, Value] = {}
        self.zeros: dict[Operand, Instr] = {}  # how arrays of zeros are made

    def bind(self, instr: Instr, made: Value, b: Builder) -> None:
        """Make `made` the batched result of an instruction."""
        (old,) = instr.results
        if made.type.dtype != old.type.dtype:
            made = b.emit(OPS["cast"], made, name=old.name, dtype=old.type.dtype)
        exact = b.retype(made, Array(old.type.dtype, (self.size, *old.type.shape)))
        assert isinstance(exact, Value)
        self.new[old] = exact

    def at(self, a: Operand, rank: int | None = None, b: Builder | None = None) -> Operand:
        """Return the operand as it is now; with `rank`, with axes of size 1 behind the leading one."""
        made = self.new.get(a)
        if made is None:
            return a
        missing = 0 if rank is None else rank - a.type.ndim
        if missing <= 0:
            return made
        assert b is not None
        step = Index((Span(), *(New(),) * missing, *(Span(),) * a.type.ndim))
        return b.emit(OPS["getitem"], made, path=(step,))

    def dims(self, a: Operand, b: Builder) -> list[Operand]:
        """Return the sizes of what `a` is for one seed."""
        made = self.zeros.get(a)
        if made is not None:
            return list(made.args) if made.op.name == "zeros" else self.dims(made.args[0], b)
        now = self.at(a)
        return [b.emit(OPS["size"], now, axis=k + (a in self.new)) for k in range(a.type.ndim)]

    def spread(self, a: Operand, b: Builder) -> Operand:
        """Return an operand with the leading axis, the same for all seeds if it does not depend on them."""
        if a in self.new:
            return self.new[a]
        if a in self.zeros:
            made = b.emit(OPS["zeros"], self.count, *self.dims(a, b), name=a.name, dtype=a.type.dtype)
        elif not isinstance(a.type, Array):
            made = b.emit(OPS["full"], a, self.count, name=a.name, dtype=a.type.dtype)
        else:
            made = b.emit(OPS["broadcast_to"], a, self.count, *self.dims(a, b), name=a.name)
        return b.retype(made, Array(a.type.dtype, (self.size, *a.type.shape)))


Rule = Callable[[Lanes, Instr, Builder], None]


def is_by_element(op: Op) -> bool:
    """True if the op works element by element on operands that broadcast."""
    return op.kind is Kind.ELEMENTWISE or op.name in ("where", "where0", "real", "imag", "conjugate")


def by_element(lanes: Lanes, instr: Instr, b: Builder) -> None:
    """An op on elements: what is batched gets the rank of the result behind its leading axis."""
    rank = instr.result.type.ndim
    args = [lanes.at(a, rank, b) for a in instr.args]
    lanes.bind(instr, b.emit(instr.op, *args, name=instr.result.name, **dict(instr.params)), b)


def _same(lanes: Lanes, instr: Instr, b: Builder) -> None:
    made = lanes.new[instr.args[0]]
    if made.type.dtype != instr.result.type.dtype:
        made = b.emit(OPS["cast"], made, name=instr.result.name, dtype=instr.result.type.dtype)
    lanes.new[instr.result] = made


def _size(lanes: Lanes, instr: Instr, b: Builder) -> None:
    params = (("axis", instr.param("axis") + 1),)
    b.add(Instr(instr.op, (lanes.at(instr.args[0]),), instr.results, params, (), b.origin, b.role))


def _like(lanes: Lanes, instr: Instr, b: Builder) -> None:
    if any(a in lanes.new for a in instr.args[1:]):
        raise NoRule
    args = [lanes.at(a) for a in instr.args]
    lanes.bind(instr, b.emit(instr.op, *args, name=instr.result.name, **dict(instr.params)), b)


def _shifted(path: Path) -> Path:
    """Return the path behind a leading axis that is left alone."""
    steps: list[Index | Permute] = []
    for step in path:
        if isinstance(step, Permute):
            steps.append(Permute((0, *(k + 1 for k in step.axes))))
            continue
        items = step.items
        chosen = [k for k, item in enumerate(items) if isinstance(item, At | Fancy)]
        if any(isinstance(i, Fancy) for i in items) and chosen != list(range(chosen[0], chosen[-1] + 1)):
            raise NoRule  # NumPy puts what such indices select first
        steps.append(Index((Span(), *items)))
    return tuple(steps)


def _getitem(lanes: Lanes, instr: Instr, b: Builder) -> None:
    x, *index = instr.args
    if any(a in lanes.new for a in index):
        raise Unbatchable
    path = _shifted(instr.param("path"))
    lanes.bind(instr, b.emit(instr.op, lanes.at(x), *index, name=instr.result.name, path=path), b)


def _write(lanes: Lanes, instr: Instr, b: Builder) -> None:
    x, v, *index = instr.args
    if any(a in lanes.new for a in index):
        raise Unbatchable
    path: Path = instr.param("path")
    params = dict(instr.params) | {"path": _shifted(path)}
    part = paths.shape_of(x.type.shape, path, tuple(i.type for i in index), b.sizes.fresh)
    base, value = lanes.spread(x, b), lanes.at(v, len(part), b)
    lanes.bind(instr, b.emit(instr.op, base, value, *index, name=instr.result.name, **params), b)


def _reduced(lanes: Lanes, instr: Instr, b: Builder) -> None:
    (x,) = instr.args
    axis = instr.param("axis")
    axes: Sequence[int] = range(x.type.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    params = dict(instr.params) | {"axis": tuple(k % x.type.ndim + 1 for k in axes)}
    lanes.bind(instr, b.emit(instr.op, lanes.at(x), name=instr.result.name, **params), b)


def _cumsum(lanes: Lanes, instr: Instr, b: Builder) -> None:
    (x,) = instr.args
    axis = instr.param("axis")
    if axis is None and x.type.ndim != 1:
        raise NoRule
    params = dict(instr.params) | {"axis": (axis or 0) % x.type.ndim + 1}
    lanes.bind(instr, b.emit(instr.op, lanes.at(x), name=instr.result.name, **params), b)


def _matmul(lanes: Lanes, instr: Instr, b: Builder) -> None:
    x, y = instr.args
    left, right = lanes.at(x), lanes.at(y)
    ranks = x.type.ndim, y.type.ndim
    if (x in lanes.new and y in lanes.new) or max(ranks) > 2:
        raise NoRule
    if y in lanes.new and y.type.ndim == 1:  # A @ t of every seed: rows times the transpose
        left, right = right, x
        if x.type.ndim == 2:
            right = b.emit(OPS["getitem"], x, path=(Permute((1, 0)),))
    lanes.bind(instr, b.emit(instr.op, left, right, name=instr.result.name), b)


def _outer(lanes: Lanes, instr: Instr, b: Builder) -> None:
    x, y = instr.args
    if x.type.ndim != 1 or y.type.ndim != 1:
        raise NoRule
    column = Index((*(Span(),) * (1 + (x in lanes.new)), New()))
    left = b.emit(OPS["getitem"], lanes.at(x), path=(column,))
    right = lanes.at(y, 2, b)
    lanes.bind(instr, b.emit(OPS["multiply"], left, right, name=instr.result.name), b)


def _broadcast(lanes: Lanes, instr: Instr, b: Builder, dims: list[Operand]) -> None:
    x = lanes.at(instr.args[0], len(dims), b)
    made = b.emit(OPS["broadcast_to"], x, lanes.count, *dims, name=instr.result.name)
    lanes.bind(instr, made, b)


def _broadcast_to(lanes: Lanes, instr: Instr, b: Builder) -> None:
    _broadcast(lanes, instr, b, list(instr.args[1:]))


def _as_like(lanes: Lanes, instr: Instr, b: Builder) -> None:
    x, like = instr.args
    name = "broadcast_to" if instr.op.name == "broadcast_like" else "reshape"
    if x not in lanes.new:  # only the shape depends on a seed's
        made = Instr(OPS[name], (x, *lanes.dims(like, b)), instr.results, (), (), b.origin, b.role)
        b.add(made)
    elif name == "broadcast_to":
        _broadcast(lanes, instr, b, lanes.dims(like, b))
    else:
        args = (lanes.at(x), lanes.count, *lanes.dims(like, b))
        lanes.bind(instr, b.emit(OPS["reshape"], *args, name=instr.result.name), b)


def _reshape(lanes: Lanes, instr: Instr, b: Builder) -> None:
    x, *dims = instr.args
    lanes.bind(instr, b.emit(instr.op, lanes.at(x), lanes.count, *dims, name=instr.result.name), b)


def _unbroadcast(lanes: Lanes, instr: Instr, b: Builder) -> None:
    g, like = instr.args
    if g not in lanes.new:
        raise NoRule
    extra = g.type.ndim - like.type.ndim
    here, there = lanes.at(g), lanes.spread(like, b)
    if extra > 0:
        step = Index((Span(), *(New(),) * extra, *(Span(),) * like.type.ndim))
        there = b.emit(OPS["getitem"], there, path=(step,))
    elif extra < 0:
        step = Index((Span(), *(New(),) * -extra, *(Span(),) * g.type.ndim))
        here = b.emit(OPS["getitem"], here, path=(step,))
    made = b.emit(instr.op, here, there)
    if extra > 0:
        made = b.emit(OPS["reshape"], made, lanes.count, *lanes.dims(like, b))
    lanes.bind(instr, made, b)


def _joined(lanes: Lanes, instr: Instr, b: Builder) -> None:
    axis = instr.param("axis", 0)
    args = [lanes.spread(a, b) for a in instr.args]
    made = b.emit(instr.op, *args, name=instr.result.name, axis=axis + 1 if axis >= 0 else axis)
    lanes.bind(instr, made, b)


def _array_of(lanes: Lanes, instr: Instr, b: Builder) -> None:
    made = b.emit(OPS["stack"], *(lanes.spread(a, b) for a in instr.args), axis=1)
    shape = instr.param("shape")
    if len(shape) > 1:
        made = b.emit(OPS["reshape"], made, lanes.count, *map(Literal, shape))
    lanes.bind(instr, made, b)


def _last_axes(lanes: Lanes, instr: Instr, b: Builder) -> None:
    args = [lanes.at(a) for a in instr.args]
    lanes.bind(instr, b.emit(instr.op, *args, name=instr.result.name, **dict(instr.params)), b)


RULES: dict[str, Rule] = {
    **dict.fromkeys(("widen", "cast", "copy", "array0", "item0", "to_float"), _same),
    **dict.fromkeys(("zeros_like", "ones_like", "empty_like", "full_like"), _like),
    **dict.fromkeys(("setitem", "accum"), _write),
    **dict.fromkeys(("sum", "mean"), _reduced),
    **dict.fromkeys(("broadcast_like", "reshape_like"), _as_like),
    **dict.fromkeys(("concatenate", "stack"), _joined),
    **dict.fromkeys(("triu", "tril", "diagonal"), _last_axes),
    "array_of": _array_of, "broadcast_to": _broadcast_to, "cumsum": _cumsum, "getitem": _getitem,
    "matmul": _matmul, "outer": _outer, "reshape": _reshape, "size": _size, "unbroadcast": _unbroadcast,
}  # fmt: skip
