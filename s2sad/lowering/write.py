"""setitem and accum: a nest over the part written. The value is read from the same memory only where
each element reads itself; otherwise it is computed into a temporary first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from s2sad.ir import path as paths
from s2sad.ir.core import Instr, Literal, Operand, Value
from s2sad.ir.path import Fancy, Path
from s2sad.ir.size import Size
from s2sad.ir.types import Array, Scalar
from s2sad.lowering.code import ONE, ZERO
from s2sad.lowering.context import Lowerer
from s2sad.lowering.index import MASK_MISMATCH, Part, fancy_part, part_of, split, view
from s2sad.lowering.scalars import check_fits, check_real, convert, promote, real_for
from s2sad.lowering.views import Index, Rep, Strided, whole


def lower_write(low: Lowerer, instr: Instr) -> None:
    """Lower a setitem or an accum."""
    x, v, *operands = instr.args
    path: Path = instr.param("path")
    base = low.array(x)
    op, at = instr.op.name, bool(instr.param("at", False))
    if op == "accum" and base.type.dtype.kind == "b":
        op = "or"
    if op == "setitem" and _is_converted_by_python(base, v, path):
        check_fits(low.code, low.scalar(v), base.type.dtype)
    if op == "setitem" and base.type.dtype.kind in "iuf":
        check_real(low.code, v)
    head, tail = split(path)
    count = paths.operand_count(head)
    target = part_of(low, instr, whole(base), head, operands[:count])
    rep = low.rep(v)
    if tail and _one_mask(tail) and not rep.type.ndim:
        after = _masked(low, base, target, operands[count], rep, op)
    else:
        part = _part(low, target, tail, operands[count:])
        if op != "setitem" and not at and paths.may_repeat(path):  # get, add, set: no accumulation
            rep, op = _sum(low, base, part, rep), "setitem"
        after = _assign(low, base, part, rep, op)
    low.define(instr.result, whole(low.version(base, after)))


def _is_converted_by_python(base: Value, v: Operand, path: Path) -> bool:
    """True if NumPy makes an integer of a number as `int()` does, which raises where it does not fit: of
    Python's own floats always, of its scalars where signed integers are written at no index arrays."""
    if base.type.dtype.kind not in "iu" or not isinstance(v.type, Scalar) or v.type.dtype.kind != "f":
        return False
    return v.type.weak or (base.type.dtype.kind == "i" and not paths.is_fancy(path))


def _one_mask(tail: Path) -> bool:
    (first, *more) = tail
    if more or not isinstance(first, paths.Index):
        return False
    (item, *others) = first.items
    plain = all(o == paths.Span() for o in others)
    return isinstance(item, Fancy) and item.mask and plain


def _part(low: Lowerer, target: Strided, tail: Path, operands: Sequence[Operand]) -> Part:
    if not tail:
        return Part(target.type.shape, low.dims(target), lambda i: low.place(target, i), target)
    part = fancy_part(low, target, tail[0], operands, target.base)
    assert not tail[1:], "a write through a view of a copy"
    return part


def _sum(low: Lowerer, base: Value, part: Part, rep: Rep) -> Rep:
    dtype = base.type.dtype
    fitted = _fitted(low, part, rep, "accum")

    def element(index: Index) -> Operand:
        old = low.read_base(base, part.place(index))
        return low.code.op("add", old, promote(low.code, low.read(fitted, index), dtype))

    buffer = low.allocate(dtype, part.dims, Array(dtype, part.shape), "")
    return whole(low.store(buffer, part.dims, element))


def _fitted(low: Lowerer, part: Part, rep: Rep, op: str) -> Rep:
    """The value broadcast to the part, checked; an assignment drops leading dimensions of 1."""
    while rep.type.ndim > len(part.shape):
        if op != "setitem":
            low.code.fail_if(Literal(True), ValueError, "non-broadcastable output operand")
        if not rep.type.shape[0].is_one:
            bad = low.code.differ(low.dim(rep, 0), ONE)
            low.code.fail_if(bad, ValueError, "could not broadcast input array into shape")
        drop = paths.Index((paths.At(), *(paths.Span(),) * (rep.type.ndim - 1)))
        rep = view(low, low.buffer(rep), (drop,), (ZERO,))
    lead = len(part.shape) - rep.type.ndim
    for k, size in enumerate(rep.type.shape):
        _check_fits(low, size, part.shape[lead + k], low.dim(rep, k), part.dims[lead + k])
    return low.fit(rep, part.dims, part.shape)


def _check_fits(low: Lowerer, own: Size, size: Size, n: Operand, m: Operand) -> None:
    if own.is_one or low.code.same(own, size):
        return
    low.code.fail_if(low.code.differ(n, m, n), ValueError, "could not broadcast input array into shape")


def _assign(low: Lowerer, base: Value, part: Part, rep: Rep, op: str) -> Value:
    rep = _fitted(low, part, rep, op)
    down = direction(low, base, part.view, rep)
    if down is None:
        rep, down = low.fill(rep), ()

    def body(index: Index, state: list[Operand]) -> Sequence[Operand]:
        (buffer,) = state
        assert isinstance(buffer, Value)
        with low.writing(base, buffer):
            return (_write(low, buffer, part.place(index), low.read(rep, index), op),)

    (after,) = low.code.nest(part.dims, (base,), body, down)
    assert isinstance(after, Value)
    return after


def _write(low: Lowerer, base: Value, place: Index, v: Operand, op: str) -> Value:
    dtype = base.type.dtype
    v = real_for(low.code, v, dtype)
    if v.type.dtype.kind == "c" and dtype.kind == "b":
        v = convert(low.code, v, dtype)
    if op == "or":
        old = low.read_base(base, place)
        new = convert(low.code, v, np.dtype(bool))
        return low.write_base(base, place, low.code.op("logical_or", old, new))
    if op == "accum":
        v = promote(low.code, v, dtype) if _is_weak(v) else v
    return low.write_base(base, place, v, op)


def _is_weak(v: Operand) -> bool:
    return bool(getattr(v.type, "weak", False))


def direction(low: Lowerer, base: Value, target: Strided | None, rep: Rep) -> tuple[bool, ...] | None:
    """Return along which dimensions the nest that writes `rep` to `target` has to run downwards, so
    that it reads each element before it writes it; None if no direction will do."""
    mine = low.roots[base]
    others = () if isinstance(rep, Strided) else rep.elsewhere
    if any(low.storage.may_alias(low.roots[b], mine) for b in others):
        return None
    shifts: list[tuple[int, ...]] = []
    for r in (rep,) if isinstance(rep, Strided) else rep.reads:
        if low.storage.may_alias(low.roots[r.base], mine):
            same = low.lineage.setdefault(r.base, object()) is low.lineage.setdefault(base, object())
            shift = _shift(low, target, r) if same and target is not None else None
            if shift is None:
                return None
            shifts.append(shift)
    down: list[bool] = []
    for k in range(target.type.ndim if target is not None else 0):
        signs = {s[k] > 0 for s in shifts if s[k]}
        if len(signs) == 2:
            return None
        down.append(signs == {False})
        shifts = [s for s in shifts if not s[k]]  # the others are settled by this dimension
    return tuple(down)


def _shift(low: Lowerer, target: Strided, read: Strided) -> tuple[int, ...] | None:
    """By how many elements along each dimension `read` is ahead of `target`; None if not constant."""
    if target.axes != read.axes:
        return None
    shift = [0] * target.type.ndim
    by_axis = {b: (k, stride) for k, terms in enumerate(target.axes) for b, stride in terms}
    for b, (mine, theirs) in enumerate(zip(target.offsets, read.offsets, strict=True)):
        gap = low.code.distance(theirs, mine)
        if gap == 0:
            continue
        k, stride = by_axis.get(b, (0, None))
        if gap is None or len(target.axes[k]) != 1 or stride not in (Literal(1), Literal(-1)):
            return None
        shift[k] = gap if stride == Literal(1) else -gap
    return tuple(shift)


def _masked(low: Lowerer, base: Value, target: Strided, mask: Operand, rep: Rep, op: str) -> Value:
    """`x[mask] = scalar`: no need to count."""
    code = low.code
    where = low.rep(mask)
    check_mask(low, where, target)
    lead = target if target.type.ndim == where.type.ndim else None
    down = direction(low, base, lead, where)
    if down is None:
        where, down = low.fill(where), ()
    v = low.read(rep, ())

    def body(index: Index, state: list[Operand]) -> Sequence[Operand]:
        (buffer,) = state
        assert isinstance(buffer, Value)
        with low.writing(base, buffer):
            chosen = low.read(where, index[: where.type.ndim])

            def then() -> Sequence[Operand]:
                return (_write(low, buffer, low.place(target, index), v, op),)

            return code.branch(chosen, then, lambda: state)

    (after,) = code.nest(low.dims(target), (base,), body, down)
    assert isinstance(after, Value)
    return after


def check_mask(low: Lowerer, mask: Rep, x: Rep) -> None:
    """Append checks that a mask's dimensions are the leading ones of x."""
    for d in range(mask.type.ndim):
        if not low.agree(mask, d, x, d):
            differ = low.code.differ(low.dim(mask, d), low.dim(x, d))
            low.code.fail_if(differ, IndexError, MASK_MISMATCH.format(d))


TABLE = {"setitem": lower_write, "accum": lower_write}
