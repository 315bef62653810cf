"""Ops that move elements about: joining, rolling, repeating, padding, triangles, diagonals, sorting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from s2sad.ir.core import Instr, Literal, Operand, Value
from s2sad.ir.size import Size
from s2sad.ir.types import INT, Array, Scalar
from s2sad.lowering.code import ONE, ZERO
from s2sad.lowering.context import Lowerer
from s2sad.lowering.scalars import convert, select
from s2sad.lowering.views import Index, Lazy, Rep, Strided, whole

JOIN_MISMATCH = "all the input array dimensions except for the concatenation axis must match exactly"
NEGATIVE_REPEATS = "repeats may not contain negative values."


def _array(instr: Instr) -> Array:
    t = instr.result.type
    assert isinstance(t, Array)
    return t


def lower_concatenate(low: Lowerer, instr: Instr) -> None:
    """Lower concatenate: one nest per piece."""
    code = low.code
    t = _array(instr)
    axis = instr.param("axis", 0)
    reps = [low.rep(a) for a in instr.args]
    for k in range(t.ndim):
        if k != axis:
            _same_dimension(low, reps, k, JOIN_MISMATCH)
    total: Operand = ZERO
    starts: list[Operand] = []
    for rep in reps:
        starts.append(total)
        total = code.add(total, low.dim(rep, axis))
    dims = tuple(low.number(t.shape[k], total if k == axis else low.dim(reps[0], k)) for k in range(t.ndim))
    buffer = low.allocate(t.dtype, dims, t, instr.result.name)
    for rep, start in zip(reps, starts, strict=True):

        def place(index: Index, start: Operand = start) -> Index:
            return (*index[:axis], code.add(index[axis], start), *index[axis + 1 :])

        buffer = low.copy_into(buffer, rep, place)
    low.define(instr.result, whole(buffer))


def lower_stack(low: Lowerer, instr: Instr) -> None:
    """Lower stack, and np.array of scalars."""
    t = _array(instr)
    axis = instr.param("axis", 0)
    reps = [low.rep(a) for a in instr.args]
    for k in range(reps[0].type.ndim):
        _same_dimension(low, reps, k, "all input arrays must have the same shape")
    inner = low.dims(reps[0])
    dims = (*inner[:axis], Literal(len(reps)), *inner[axis:])
    buffer = low.allocate(t.dtype, dims, t, instr.result.name)
    for k, rep in enumerate(reps):

        def place(index: Index, k: int = k) -> Index:
            return (*index[:axis], Literal(k), *index[axis:])

        buffer = low.copy_into(buffer, rep, place)
    low.define(instr.result, whole(buffer))


def lower_array_of(low: Lowerer, instr: Instr) -> None:
    """Lower an array written out by its scalars."""
    t = _array(instr)
    shape = instr.param("shape")
    buffer = low.allocate(t.dtype, tuple(map(Literal, shape)), t, instr.result.name)
    for k, a in zip(np.ndindex(*shape), instr.args, strict=True):
        buffer = low.write_base(buffer, tuple(map(Literal, k)), low.scalar(a))
    low.define(instr.result, whole(buffer))


def _same_dimension(low: Lowerer, reps: Sequence[Rep], axis: int, message: str) -> None:
    first = reps[0]
    for rep in reps[1:]:
        if not low.agree(rep, axis, first, axis):
            differ = low.code.differ(low.dim(first, axis), low.dim(rep, axis))
            low.code.fail_if(differ, ValueError, message)


def lower_roll(low: Lowerer, instr: Instr) -> None:
    """Lower roll along one axis."""
    code = low.code
    axis = instr.param("axis")
    rep = low.buffer(low.rep(instr.args[0]))
    dims = low.dims(rep)
    n = dims[axis]
    shift = code.op("remainder", convert(code, low.scalar(instr.args[1]), INT), code.maximum(n, ONE))

    def element(index: Index) -> Operand:
        source = code.op("wrap", code.op("subtract", index[axis], shift), n)
        return low.read(rep, (*index[:axis], source, *index[axis + 1 :]))

    low.define(instr.result, low.fill(Lazy(_array(instr), dims, element), instr.result.name))


def lower_repeat(low: Lowerer, instr: Instr) -> None:
    """Lower repeat with one count, or with one count per element."""
    code = low.code
    t = _array(instr)
    axis = instr.param("axis", 0)
    rep, times = low.buffer(low.rep(instr.args[0])), low.rep(instr.args[1])
    dims = low.dims(rep)
    if times.type.ndim:
        _repeat_each(low, instr, rep, low.buffer(times))
        return
    count = low.scalar(instr.args[1])
    if not code.is_at_least(count, Size()):
        code.fail_if(code.op("less", count, ZERO), ValueError, NEGATIVE_REPEATS)
    out = (*dims[:axis], low.number(t.shape[axis], code.mul(dims[axis], count)), *dims[axis + 1 :])

    def element(index: Index) -> Operand:
        return low.read(rep, (*index[:axis], code.floordiv(index[axis], count), *index[axis + 1 :]))

    low.define(instr.result, low.fill(Lazy(t, out, element), instr.result.name))


def _repeat_each(low: Lowerer, instr: Instr, rep: Strided, times: Strided) -> None:
    code = low.code
    t = _array(instr)
    axis = instr.param("axis", 0)
    dims = low.dims(rep)
    n = low.dim(times, 0)
    own, other = rep.type.shape[axis], times.type.shape[0]
    if own != other and not other.is_one:
        bad = code.differ(n, dims[axis], n)
        code.fail_if(bad, ValueError, "operands could not be broadcast together")
    line = low.fit(times, (dims[axis],), (own,))

    def count(i: Value, state: list[Operand]) -> Sequence[Operand]:
        times_here = low.read(line, (i,))
        code.fail_if(code.op("less", times_here, ZERO), ValueError, NEGATIVE_REPEATS)
        return (code.op("add", state[0], times_here),)

    start = code.coerce(ZERO, Scalar(INT))
    (total,) = code.loop((ZERO, dims[axis], ONE), (start,), count)
    low.number(t.shape[axis], total)
    source = low.allocate(INT, (total,), Array(INT, (t.shape[axis],)), "")

    def fill(i: Value, state: list[Operand]) -> Sequence[Operand]:
        def one(_: Value, inner: list[Operand]) -> Sequence[Operand]:
            assert isinstance(inner[0], Value)
            return low.write_base(inner[0], (inner[1],), i), code.op("add", inner[1], ONE)

        return code.loop((ZERO, low.read(line, (i,)), ONE), state, one)

    after, _ = code.loop((ZERO, dims[axis], ONE), (source, start), fill)
    owner = whole(low.version(source, after))

    def element(index: Index) -> Operand:
        return low.read(rep, (*index[:axis], low.read(owner, (index[axis],)), *index[axis + 1 :]))

    out = (*dims[:axis], total, *dims[axis + 1 :])
    low.define(instr.result, low.fill(Lazy(t, out, element), instr.result.name))


def lower_tile(low: Lowerer, instr: Instr) -> None:
    """Lower tile."""
    code = low.code
    t = _array(instr)
    rep = low.buffer(low.rep(instr.args[0]))
    own = (*(ONE,) * (t.ndim - rep.type.ndim), *low.dims(rep))
    times = (*(ONE,) * (t.ndim - len(instr.args) + 1), *map(low.scalar, instr.args[1:]))
    for r in times:
        if not code.is_at_least(r, Size()):
            code.fail_if(code.op("less", r, ZERO), ValueError, "negative dimensions are not allowed")
    dims = tuple(low.number(s, code.mul(n, r)) for s, n, r in zip(t.shape, own, times, strict=True))
    lead = t.ndim - rep.type.ndim

    def element(index: Index) -> Operand:
        pairs = zip(index, own, times, strict=True)
        place = [i if r == ONE else code.op("remainder", i, n) for i, n, r in pairs]
        return low.read(rep, tuple(place[lead:]))

    low.define(instr.result, low.fill(Lazy(t, dims, element), instr.result.name))


def lower_pad(low: Lowerer, instr: Instr) -> None:
    """Lower pad with zeros."""
    code = low.code
    t = _array(instr)
    rep = low.rep(instr.args[0])
    widths = [low.scalar(a) for a in instr.args[1:]]
    for w in widths:
        if not code.is_at_least(w, Size()):
            code.fail_if(code.op("less", w, ZERO), ValueError, "index can't contain negative values")
    own = low.dims(rep)
    before, after = widths[::2], widths[1::2]
    padded = (code.add(code.add(n, lo), hi) for n, lo, hi in zip(own, before, after, strict=True))
    dims = tuple(low.number(s, n) for s, n in zip(t.shape, padded, strict=True))
    buffer = low.allocate(t.dtype, dims, t, instr.result.name, "zeros")

    def place(index: Index) -> Index:
        return tuple(code.add(i, lo) for i, lo in zip(index, before, strict=True))

    low.define(instr.result, whole(low.copy_into(buffer, rep, place)))


def lower_triangle(low: Lowerer, instr: Instr) -> None:
    """Lower triu and tril."""
    code = low.code
    t = _array(instr)
    rep = low.buffer(low.rep(instr.args[0]))
    order = "greater_equal" if instr.op.name == "triu" else "less_equal"
    k = instr.param("k", 0)

    def element(index: Index) -> Operand:
        inside = code.op(order, index[-1], code.add(index[-2], Literal(k)))
        return select(code, inside, low.read(rep, index), ZERO, t.dtype)

    low.define(instr.result, low.fill(Lazy(t, low.dims(rep), element), instr.result.name))


def lower_diagonal(low: Lowerer, instr: Instr) -> None:
    """Lower diagonal: a view that steps along the last two axes at once."""
    code = low.code
    t = _array(instr)
    rep = low.buffer(low.rep(instr.args[0]))
    k = instr.param("offset", 0)
    down, right = Literal(max(-k, 0)), Literal(max(k, 0))
    dims = low.dims(rep)
    length = code.maximum(code.minimum(code.sub(dims[-2], down), code.sub(dims[-1], right)), ZERO)
    offsets = list(rep.offsets)
    for terms, start in ((rep.axes[-2], down), (rep.axes[-1], right)):
        for b, stride in terms:
            offsets[b] = code.add(offsets[b], code.mul(start, stride))
    axes = (*rep.axes[:-2], (*rep.axes[-2], *rep.axes[-1]))
    found = (*dims[:-2], low.number(t.shape[-1], length))
    low.define(instr.result, Strided(rep.base, t, found, tuple(offsets), axes))


def lower_diag_embed(low: Lowerer, instr: Instr) -> None:
    """Lower np.diag of a vector."""
    code = low.code
    t = _array(instr)
    rep = low.rep(instr.args[0])
    k = instr.param("offset", 0)
    n = low.dim(rep, 0)
    side = low.number(t.shape[0], code.add(n, Literal(abs(k))))
    buffer = low.allocate(t.dtype, (side, side), t, instr.result.name, "zeros")

    def place(index: Index) -> Index:
        return code.add(index[0], Literal(max(-k, 0))), code.add(index[0], Literal(max(k, 0)))

    low.define(instr.result, whole(low.copy_into(buffer, rep, place)))


TABLE = {
    "concatenate": lower_concatenate,
    "stack": lower_stack,
    "array_of": lower_array_of,
    "roll": lower_roll,
    "repeat": lower_repeat,
    "tile": lower_tile,
    "pad": lower_pad,
    "triu": lower_triangle,
    "tril": lower_triangle,
    "diagonal": lower_diagonal,
    "diag_embed": lower_diag_embed,
}
