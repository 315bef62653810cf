"""Reductions and scans along axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from s2sad.ir.core import Instr, Literal, Operand
from s2sad.ir.size import Size
from s2sad.ir.types import BOOL, F8, INT, Array, Dtype, Scalar
from s2sad.lowering.code import ONE, ZERO, Code
from s2sad.lowering.context import Lowerer
from s2sad.lowering.scalars import convert, promote
from s2sad.lowering.views import Index, Lazy, Rep, whole

Read = Callable[[Index], Operand]
Fold = Callable[[Lowerer, Read, Index, Dtype], Operand]  # the elements of one line -> the result


def _line(
    low: Lowerer, dims: Index, start: Operand, step: Callable[[Operand, Operand], Operand], read: Read
) -> Operand:
    """The fold of all elements over `dims`, beginning with `start`."""

    def body(index: Index, state: list[Operand]) -> Sequence[Operand]:
        return (step(state[0], read(index)),)

    (total,) = low.code.nest(dims, (start,), body)
    return total


def _start(low: Lowerer, value: bool | int | float | complex, dtype: Dtype) -> Operand:
    return low.code.coerce(Literal(value), Scalar(dtype))


def accumulator(dtype: Dtype) -> Dtype:
    """Return the dtype in which elements of a result of `dtype` are summed."""
    return F8 if dtype.kind == "f" else dtype


def _sum(low: Lowerer, read: Read, dims: Index, dtype: Dtype) -> Operand:
    wide = accumulator(dtype)
    start = _start(low, np.zeros((), wide).item(), wide)
    return _line(low, dims, start, lambda a, x: low.code.op("add", a, promote(low.code, x, wide)), read)


def _mean(low: Lowerer, read: Read, dims: Index, dtype: Dtype) -> Operand:
    total = _sum(low, read, dims, dtype)
    return _over(low, total, low.code.product(dims))


def _over(low: Lowerer, total: Operand, n: Operand) -> Operand:
    # not a Python float: of no elements the mean is nan, not ZeroDivisionError
    return low.code.op("divide", low.code.op("to_" + total.type.dtype.name, total), n)


def _prod(low: Lowerer, read: Read, dims: Index, dtype: Dtype) -> Operand:
    wide = accumulator(dtype)
    start = _start(low, np.ones((), wide).item(), wide)
    return _line(low, dims, start, lambda a, x: low.code.op("multiply", a, promote(low.code, x, wide)), read)


def _extreme(name: str) -> Fold:
    def fold(low: Lowerer, read: Read, dims: Index, dtype: Dtype) -> Operand:
        op = name if dtype.kind != "b" else "logical_or" if name == "maximum" else "logical_and"
        start = _start(low, lowest(dtype) if name == "maximum" else highest(dtype), dtype)
        return _line(low, dims, start, lambda a, x: low.code.op(op, a, x), read)

    return fold


def lowest(dtype: Dtype) -> bool | int | float:
    """Return what every value of the dtype is at least."""
    return -np.inf if dtype.kind == "f" else False if dtype.kind == "b" else int(np.iinfo(dtype.str).min)


def highest(dtype: Dtype) -> bool | int | float:
    """Return what every value of the dtype is at most."""
    return np.inf if dtype.kind == "f" else True if dtype.kind == "b" else int(np.iinfo(dtype.str).max)


def _not_empty(low: Lowerer, dims: Index, message: str) -> None:
    for n in dims:
        if not low.code.is_at_least(n, Size.of(1)):
            low.code.fail_if(low.code.op("equal", n, ZERO), ValueError, message)


def _any(low: Lowerer, read: Read, dims: Index, dtype: Dtype) -> Operand:
    return _truth(low, read, dims, "logical_or", False)


def _all(low: Lowerer, read: Read, dims: Index, dtype: Dtype) -> Operand:
    return _truth(low, read, dims, "logical_and", True)


def _truth(low: Lowerer, read: Read, dims: Index, op: str, start: bool) -> Operand:
    def step(a: Operand, x: Operand) -> Operand:
        return low.code.op(op, a, convert(low.code, x, BOOL))

    return _line(low, dims, _start(low, start, BOOL), step, read)


def _count(low: Lowerer, read: Read, dims: Index, dtype: Dtype) -> Operand:
    def step(a: Operand, x: Operand) -> Operand:
        return low.code.op("add", a, convert(low.code, convert(low.code, x, BOOL), INT))

    return _line(low, dims, _start(low, 0, INT), step, read)


def _arg_extreme(order: str) -> Fold:
    def fold(low: Lowerer, read: Read, dims: Index, dtype: Dtype) -> Operand:
        code = low.code
        first = read((ZERO,) * len(dims))
        best = code.coerce(first, Scalar(first.type.dtype))

        def body(index: Index, state: list[Operand]) -> Sequence[Operand]:
            best, where, position = state
            x = read(index)
            better: Operand = code.op(order, x, best)
            if x.type.dtype.kind == "f":  # the first nan wins
                nan = code.op("both", code.op("isnan", x), code.op("not_", code.op("isnan", best)))
                better = code.op("either", better, nan)
            x = code.coerce(x, best.type)
            chosen = code.branch(better, lambda: (x, position), lambda: (best, where))
            return (*chosen, code.op("add", position, ONE))

        start = _start(low, 0, INT)
        return code.nest(dims, (best, start, start), body)[1]

    return fold


def _var(low: Lowerer, read: Read, dims: Index, dtype: Dtype, ddof: float = 0) -> Operand:
    code = low.code
    mean = _over(low, _sum(low, read, dims, dtype), code.product(dims))

    def step(a: Operand, x: Operand) -> Operand:
        gap = code.op("subtract", x, mean)
        return code.op("add", a, code.op("multiply", gap, gap))

    total = _line(low, dims, _start(low, 0.0, F8), step, read)
    n = code.product(dims)
    if not isinstance(ddof, int):
        rest = code.op("subtract", convert(code, n, F8), Literal(ddof))
        return _over(low, total, code.op("maximum", rest, Literal(0.0)))
    return _over(low, total, code.maximum(code.sub(n, Literal(ddof)), ZERO) if ddof else n)


def _norm(low: Lowerer, read: Read, dims: Index, dtype: Dtype) -> Operand:
    def step(a: Operand, x: Operand) -> Operand:
        x = promote(low.code, x, F8)
        return low.code.op("add", a, low.code.op("multiply", x, x))

    return low.code.op("sqrt", _line(low, dims, _start(low, 0.0, F8), step, read))


FOLDS: dict[str, Fold] = {
    "sum": _sum,
    "mean": _mean,
    "prod": _prod,
    "norm": _norm,
    "max": _extreme("maximum"),
    "min": _extreme("minimum"),
    "any": _any,
    "all": _all,
    "count_nonzero": _count,
    "argmax": _arg_extreme("greater"),
    "argmin": _arg_extreme("less"),
}
NO_IDENTITY = "zero-size array to reduction operation {} which has no identity"
NOT_EMPTY = {
    "max": NO_IDENTITY.format("maximum"),
    "min": NO_IDENTITY.format("minimum"),
    "argmax": "attempt to get argmax of an empty sequence",
    "argmin": "attempt to get argmin of an empty sequence",
}
READ_TWICE = {"argmax", "argmin", "norm", "var", "std"}


def lower_reduction(low: Lowerer, instr: Instr) -> None:
    """Lower a reduction: a line per element of the result, or a running sum per element where the
    innermost axis stays, so that memory is read in order."""
    name = instr.op.name
    rep = low.rep(instr.args[0])
    if name in READ_TWICE:
        rep = low.buffer(rep)
    axis = instr.param("axis")
    axes = tuple(range(rep.type.ndim)) if axis is None else (axis,) if isinstance(axis, int) else axis
    result = instr.result.type
    fold = _fold_of(instr)
    dims = low.dims(rep)
    line = tuple(dims[a] for a in axes)
    dtype = result.dtype
    if name in NOT_EMPTY and instr.param("initial", None) is None:
        _not_empty(low, line, NOT_EMPTY[name])
    if isinstance(result, Scalar):
        total = fold(low, lambda index: low.read(rep, _whole_index(rep, axes, (), index)), line, dtype)
        low.define_scalar(instr.result, low.code.coerce(total, result))
        return
    keepdims = bool(instr.param("keepdims", False))
    if name in ("sum", "mean") and rep.type.ndim - 1 not in axes and axes:
        low.define(instr.result, _running_sum(low, rep, axes, keepdims, result, name == "mean"))
        return

    def element(index: Index) -> Operand:
        kept = tuple(i for k, i in enumerate(index) if k not in axes) if keepdims else index
        total = fold(low, lambda inner: low.read(rep, _whole_index(rep, axes, kept, inner)), line, dtype)
        return low.code.coerce(total, Scalar(dtype))

    lines = Lazy(result, _result_dims(dims, axes, keepdims), element)
    low.define(instr.result, low.fill(lines, instr.result.name))


def _fold_of(instr: Instr) -> Fold:
    name = instr.op.name
    if name not in ("var", "std"):
        return FOLDS[name]
    ddof = instr.param("ddof", 0)

    def fold(low: Lowerer, read: Read, dims: Index, dtype: Dtype) -> Operand:
        found = _var(low, read, dims, dtype, ddof)
        return found if name == "var" else low.code.op("sqrt", found)

    return fold


def _result_dims(dims: Index, axes: tuple[int, ...], keepdims: bool) -> Index:
    if keepdims:
        return tuple(ONE if k in axes else n for k, n in enumerate(dims))
    return tuple(n for k, n in enumerate(dims) if k not in axes)


def _whole_index(rep: Rep, axes: tuple[int, ...], kept: Index, inner: Index) -> Index:
    outside, inside = iter(kept), iter(inner)
    return tuple(next(inside) if k in axes else next(outside) for k in range(rep.type.ndim))


def _running_sum(
    low: Lowerer, rep: Rep, axes: tuple[int, ...], keepdims: bool, t: Array, is_mean: bool
) -> Rep:
    code = low.code
    dims = low.dims(rep)
    wide = accumulator(t.dtype)
    out_dims = _result_dims(dims, axes, keepdims)
    buffer = low.allocate(wide, out_dims, t, "", "zeros")

    def place(index: Index) -> Index:
        if keepdims:
            return tuple(ZERO if k in axes else i for k, i in enumerate(index))
        return tuple(i for k, i in enumerate(index) if k not in axes)

    total = whole(low.copy_into(buffer, rep, place, "accum"))
    if not is_mean:
        return total if wide == t.dtype else Lazy(t, out_dims, lambda i: low.read(total, i), (total,))
    n = code.product([dims[a] for a in axes])
    return Lazy(t, out_dims, lambda i: code.op("divide", low.read(total, i), n), (total,))


def lower_scan(low: Lowerer, instr: Instr) -> None:
    """Lower cumsum, cumprod and recurrence: one pass along the axis per line."""
    reps = [low.rep(a) for a in instr.args]
    axis = instr.param("axis")
    t = instr.result.type
    assert isinstance(t, Array)
    code = low.code
    dims = low.dims(reps[0])
    buffer = low.allocate(t.dtype, dims, t, instr.result.name)
    combine, unit = SCANS[instr.op.name]
    unit = unit if isinstance(unit, int) else unit(t.dtype)
    start = code.coerce(Literal(np.full((), unit, t.dtype).item()), Scalar(t.dtype))
    others = tuple(n for k, n in enumerate(dims) if k != axis)

    def line(outer: Index, state: list[Operand]) -> Sequence[Operand]:
        def step(i: Operand, inner: list[Operand]) -> Sequence[Operand]:
            index = (*outer[:axis], i, *outer[axis:])
            total = combine(code, inner[1], *(promote(code, low.read(r, index), t.dtype) for r in reps))
            return low.write_base(inner[0], index, total), total  # type: ignore[arg-type]

        return code.loop((ZERO, dims[axis], ONE), (state[0], start), step)[:1]

    (after,) = code.nest(others, (buffer,), line)
    low.define(instr.result, whole(low.version(buffer, after)))  # type: ignore[arg-type]


def _larger(name: str, of_bools: str) -> Callable[..., Operand]:
    def combine(code: Code, a: Operand, b: Operand) -> Operand:
        return code.op(of_bools if a.type.dtype.kind == "b" else name, a, b)

    return combine


SCANS: dict[str, tuple[Callable[..., Operand], Any]] = {
    "cumsum": (lambda code, total, x: code.op("add", total, x), 0),
    "cumprod": (lambda code, total, x: code.op("multiply", total, x), 1),
    "recurrence": (lambda code, total, a, b: code.op("add", code.op("multiply", a, total), b), 0),
    "cummax": (_larger("maximum", "logical_or"), lowest),
    "cummin": (_larger("minimum", "logical_and"), highest),
}
TABLE = {name: lower_reduction for name in (*FOLDS, "var", "std")} | dict.fromkeys(SCANS, lower_scan)
