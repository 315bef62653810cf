"""Sorting, searching, and index arrays whose length is known at run time only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from s2sad.ir.core import Instr, Literal, Operand, Value
from s2sad.ir.types import BOOL, INT, Array, Scalar
from s2sad.lowering.code import ZERO
from s2sad.lowering.context import Lowerer
from s2sad.lowering.index import flat, nonzero
from s2sad.lowering.scalars import convert
from s2sad.lowering.views import Index, Lazy, Rep, Strided, whole


def _array(instr: Instr) -> Array:
    t = instr.result.type
    assert isinstance(t, Array)
    return t


def lower_sort(low: Lowerer, instr: Instr) -> None:
    """Lower sort and argsort: a library call per line. What is in order is a partition as well."""
    code = low.code
    t = _array(instr)
    rep = low.rep(instr.args[0])
    axis = instr.param("axis", -1) % t.ndim
    op = "argsort_line" if instr.op.name.startswith("arg") else "sort_line"
    for k in map(low.scalar, instr.args[1:]):
        code.fail_if(code.op("outside", k, low.dim(rep, axis)), ValueError, "kth is out of bounds")
    if t.ndim == 1:
        line = low.fill(rep)
        low.define(instr.result, whole(_fresh(low, code.op(op, line.base, hint=instr.result.name))))
        return
    rep = low.buffer(rep)
    dims = low.dims(rep)
    line_type = Array(rep.type.dtype, (rep.type.shape[axis],))
    buffer = low.allocate(t.dtype, dims, t, instr.result.name)

    def body(outer: Index, state: list[Operand]) -> Sequence[Operand]:
        def at(index: Index) -> Index:
            return (*outer[:axis], index[0], *outer[axis:])

        copied = low.fill(Lazy(line_type, (dims[axis],), lambda index: low.read(rep, at(index))))
        ordered = whole(_fresh(low, code.op(op, copied.base)))
        assert isinstance(state[0], Value)
        return (low.copy_into(state[0], ordered, at),)

    (after,) = code.nest(tuple(n for k, n in enumerate(dims) if k != axis), (buffer,), body)
    assert isinstance(after, Value)
    low.define(instr.result, whole(low.version(buffer, after)))


def _fresh(low: Lowerer, base: Value) -> Value:
    low.roots[base] = frozenset({base})
    low.dense.add(base)
    return base


def lower_searchsorted(low: Lowerer, instr: Instr) -> None:
    """Lower searchsorted."""
    code = low.code
    a, v = instr.args
    line = low.array(a)
    op = "search_" + instr.param("side", "left")
    dtype = np.result_type(a.type.dtype, v.type.dtype)
    rep = low.rep(v)
    if isinstance(instr.result.type, Scalar):
        low.define_scalar(instr.result, code.op(op, line, convert(code, low.read(rep, ()), dtype)))
        return

    def element(index: Index) -> Operand:
        return code.op(op, line, convert(code, low.read(rep, index), dtype))

    low.define(instr.result, low.fill(Lazy(_array(instr), low.dims(rep), element), instr.result.name))


# -- index arrays of run-time length ----------------------------------------------------------------------


def _truth(low: Lowerer, rep: Rep) -> Rep:
    t = Array(BOOL, rep.type.shape)
    return Lazy(t, low.dims(rep), lambda index: convert(low.code, low.read(rep, index), BOOL))


def _define_indices(low: Lowerer, instr: Instr, found: Sequence[Rep]) -> None:
    for result, rep in zip(instr.results, found, strict=True):
        assert isinstance(result.type, Array)
        low.number(result.type.shape[0], low.dim(rep, 0))
        assert isinstance(rep, Strided)
        renamed = Strided(rep.base, result.type, (low.dim(rep, 0),), rep.offsets, rep.axes, True)
        low.define(result, renamed)


def lower_nonzero(low: Lowerer, instr: Instr) -> None:
    """Lower nonzero and flatnonzero."""
    rep = low.buffer(low.rep(instr.args[0]))
    found = nonzero(low, _truth(low, rep))
    if instr.op.name == "flatnonzero" and rep.type.ndim != 1:
        dims = low.dims(rep)
        t = Array(INT, found[0].type.shape)

        def element(index: Index) -> Operand:
            return flat(low, tuple(low.read(r, index) for r in found), dims)

        found = [low.fill(Lazy(t, low.dims(found[0]), element))]
    _define_indices(low, instr, found)


def lower_argwhere(low: Lowerer, instr: Instr) -> None:
    """Lower argwhere: the index arrays as columns."""
    t = _array(instr)
    rep = low.buffer(low.rep(instr.args[0]))
    found = nonzero(low, _truth(low, rep))
    count = low.number(t.shape[0], low.dim(found[0], 0))
    buffer = low.allocate(t.dtype, (count, Literal(len(found))), t, instr.result.name)
    for k, column in enumerate(found):

        def place(index: Index, k: int = k) -> Index:
            return index[0], Literal(k)

        buffer = low.copy_into(buffer, column, place)
    low.define(instr.result, whole(buffer))


def lower_triangle_indices(low: Lowerer, instr: Instr) -> None:
    """Lower triu_indices and tril_indices."""
    code = low.code
    n, m = (low.scalar(a) for a in instr.args)
    k = instr.param("k", 0)
    order = "greater_equal" if instr.op.name == "triu_indices" else "less_equal"
    t = Array(BOOL, (code.sizes.fresh(), code.sizes.fresh()))
    dims = tuple(code.maximum(d, ZERO) for d in (n, m))

    def element(index: Index) -> Operand:
        return code.op(order, index[1], code.add(index[0], Literal(k)))

    _define_indices(low, instr, nonzero(low, Lazy(t, dims, element)))


TABLE = {
    "sort": lower_sort,
    "argsort": lower_sort,
    "partition": lower_sort,
    "argpartition": lower_sort,
    "searchsorted": lower_searchsorted,
    "flatnonzero": lower_nonzero,
    "nonzero2": lower_nonzero,
    "nonzero3": lower_nonzero,
    "argwhere": lower_argwhere,
    "triu_indices": lower_triangle_indices,
    "tril_indices": lower_triangle_indices,
}
