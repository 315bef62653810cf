"""Integer indices and slices: NumPy's wrap-around and clamping, checks where bounds do not prove them."""

from __future__ import annotations

import numpy as np

from s2sad.ir.core import Literal, Operand
from s2sad.ir.size import Size
from s2sad.lowering.code import ONE, ZERO, Code
from s2sad.lowering.ops import conversion

MINUS_ONE = Literal(-1)


def as_index(code: Code, i: Operand) -> Operand:
    """Return an integer as one of 64 bits, in which indices are computed: one that is larger is too large
    for every dimension."""
    if i.type.dtype == np.dtype(np.int64):
        return i
    if i.type.dtype == np.dtype(np.uint64) and not isinstance(i, Literal):
        i = code.op("minimum", i, code.op(conversion(np.dtype(np.uint64)), Literal(2**63 - 1)))
    return code.op(conversion(np.dtype(np.int64)), i)


def checked(code: Code, i: Operand, n: Operand, axis: int) -> Operand:
    """Return index `i` into a dimension of `n` elements as a number in range(n), or raise IndexError."""
    i = as_index(code, i)
    if code.trusts_index:
        return i
    return code.once(("index", i, n), lambda: _checked(code, i, n, axis))


def _checked(code: Code, i: Operand, n: Operand, axis: int) -> Operand:
    message = f"index out of bounds for axis {axis}"
    size, most = code.bounds_of(n)
    if code.is_at_least(i, Size()):
        if size is None or not code.is_at_most(i, size - 1):
            code.fail_if(code.op("greater_equal", i, n), IndexError, message)
        return i
    if code.is_at_most(i, Size.of(-1)):
        wrapped = code.add(n, i)
        if not code.is_at_least(wrapped, Size()):
            code.fail_if(code.op("less", wrapped, ZERO), IndexError, message)
        return wrapped
    if size is None or not (code.is_at_most(i, size - 1) and code.is_at_least(i, -size)):
        code.fail_if(code.op("outside", i, n), IndexError, message)
    result = code.op("wrap", i, n)
    code.bounds[result] = (Size(), None if most is None else most - 1)
    return result


def normalized(
    code: Code, n: Operand, lo: Operand | None, hi: Operand | None, step: Operand | None
) -> tuple[Operand, Operand, Operand]:
    """Return (start, count, step) of `range(n)[lo:hi:step]`; start is of no use where count is 0."""
    lo, hi, step = (None if x is None else as_index(code, x) for x in (lo, hi, step))
    step = step if step is not None else ONE
    if not isinstance(step, Literal):
        return _dynamic(code, n, lo, hi, step)
    k = int(step.value.real)
    if k > 0:
        start = _clamped(code, lo, n, ZERO)
        stop = n if hi is None else _stop(code, hi, n)
        length = code.sub(stop, start)
        if k > 1:
            length = code.floordiv(code.add(length, Literal(k - 1)), Literal(k))
        return start, code.maximum(length, ZERO), step
    if lo is None and hi is None:
        length = n if k == -1 else code.floordiv(code.add(n, Literal(-k - 1)), Literal(-k))
        return code.sub(n, ONE), length, step
    last = code.sub(n, ONE)
    start = last if lo is None else code.minimum(_from_end(code, lo, n), last)
    stop = MINUS_ONE if hi is None else code.maximum(_from_end(code, hi, n), MINUS_ONE)
    length = code.sub(start, stop)
    if k < -1:
        length = code.floordiv(code.add(length, Literal(-k - 1)), Literal(-k))
    return start, code.maximum(length, ZERO), step


def _clamped(code: Code, lo: Operand | None, n: Operand, default: Operand) -> Operand:
    return default if lo is None else code.maximum(_from_end(code, lo, n), ZERO)


def _stop(code: Code, hi: Operand, n: Operand) -> Operand:
    if code.is_at_least(hi, Size()):
        return code.minimum(hi, n)
    if code.is_at_most(hi, Size.of(-1)):
        return code.add(n, hi)
    return code.minimum(_from_end(code, hi, n), n)


def _from_end(code: Code, bound: Operand, n: Operand) -> Operand:
    if code.is_at_least(bound, Size()):
        return bound
    if code.is_at_most(bound, Size.of(-1)):
        return code.add(n, bound)
    return code.once(("wrap", bound, n), lambda: code.op("wrap", bound, n))


def _dynamic(
    code: Code, n: Operand, lo: Operand | None, hi: Operand | None, step: Operand
) -> tuple[Operand, Operand, Operand]:
    code.fail_if(code.op("equal", step, ZERO), ValueError, "slice step cannot be zero")
    forward = code.op("greater", step, ZERO)
    last = code.sub(n, ONE)
    bottom = code.op("select", forward, ZERO, MINUS_ONE)
    top = code.op("select", forward, n, last)

    def bound(given: Operand | None, default: Operand) -> Operand:
        if given is None:
            return default
        return code.op("at_least", code.op("at_most", _from_end(code, given, n), top), bottom)

    start = bound(lo, code.op("select", forward, ZERO, last))
    stop = bound(hi, code.op("select", forward, n, MINUS_ONE))
    gap = code.op("select", forward, code.op("subtract", stop, start), code.op("subtract", start, stop))
    width = code.op("select", forward, step, code.op("negative", step))
    length = code.op("floor_divide", code.op("subtract", code.op("add", gap, width), ONE), width)
    return start, code.op("at_least", length, ZERO), step
