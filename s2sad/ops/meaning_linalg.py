"""What calls of np.linalg mean."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from s2sad.ops.call import (
    FUNCTIONS,
    as_rank0,
    expr,
    exprs,
    make_call,
    meaning,
    one_axis,
    only,
    some_axes,
    strong,
    unsupported,
)
from s2sad.ops.expr import Expr, apply, apply_all
from s2sad.ops.functions import (
    both,
    cast,
    conj,
    count,
    expand,
    eye,
    literal,
    matmul,
    nonzero_denominator,
    permute,
    power,
    reshape,
    size,
    span_at,
    swap,
    take_at,
    total,
    where,
    zeros_like,
)
from s2sad.ops.meaning_linear import diagonal, outer_, tensordot, trace
from s2sad.ops.meaning_select import cross
from s2sad.ops.meaning_shape import matrix_transpose
from s2sad.ops.systems import from_lower

_ONE = np.eye(1)
SlogdetResult: Any = type(np.linalg.slogdet(_ONE))
QRResult: Any = type(np.linalg.qr(_ONE))
EighResult: Any = type(np.linalg.eigh(_ONE))
EigResult: Any = type(np.linalg.eig(_ONE))
SVDResult: Any = type(np.linalg.svd(_ONE))

# --- systems and inverses -----------------------------------------------------------------------


@meaning(np.linalg.solve)
def solve(a: Any, b: Any) -> Expr:
    """Return np.linalg.solve(a, b)."""
    return apply("solve", expr(a), expr(b))


@meaning(np.linalg.inv)
def inv(a: Any) -> Expr:
    """Return np.linalg.inv(a)."""
    return apply("inv", expr(a))


@meaning(np.linalg.det)
def det(a: Any) -> Expr:
    """Return np.linalg.det(a)."""
    return apply("det", expr(a))


@meaning(np.linalg.slogdet)
def slogdet(a: Any) -> Any:
    """Return np.linalg.slogdet(a)."""
    return SlogdetResult(*apply_all("slogdet", expr(a)))


@meaning(np.linalg.pinv, static="rcond hermitian rtol")
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Expr:
    """Return np.linalg.pinv(a)."""
    x = from_lower(expr(a)) if hermitian else expr(a)
    if rcond is not None and rtol is not None:
        raise ValueError("`rtol` and `rcond` can't be both set.")
    limit = rtol if rcond is None else rcond
    if limit is not None and not isinstance(limit, int | float):
        raise unsupported("limits of np.linalg.pinv for each matrix are not supported", "give one number")
    return apply("pinv", x, **({} if limit is None else {"rcond": float(limit)}))


@meaning(np.linalg.lstsq, static="rcond")
def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """Return np.linalg.lstsq(a, b)."""
    only("rcond", rcond, None)
    x, y = expr(a), expr(b)
    if x.ndim != 2 or y.ndim not in (1, 2):
        raise unsupported("np.linalg.lstsq takes one matrix and a vector or a matrix")
    found, s = apply("lstsq", x, y), apply("svdvals", x)
    n, m = size(x, 0), size(x, 1)
    cut = float(np.finfo(np.float64).eps) * apply("py_max", n, m)  # of the dtype that NumPy computes in
    rank = apply("count_nonzero", s > cast(cut * take_at(s, 0, 0), s.dtype), axis=None, keepdims=False)
    away = cast(y, found.dtype) - matmul(x, found)
    sums = total(away * away, 0)
    sums = sums if sums.is_array else reshape(sums, 1)
    is_full = both(rank.eq(m), apply("greater", n, m))
    residuals = span_at(sums, 0, hi=apply("to_int", is_full) * size(sums, 0))
    return found, residuals, cast(rank, np.dtype(np.int32)), s


@meaning(np.linalg.tensorinv, static="ind")
def tensorinv(a: Any, ind: int = 2) -> Expr:
    """Return np.linalg.tensorinv(a, ind)."""
    x = expr(a)
    if not 0 < ind < x.ndim:
        raise ValueError("Invalid ind argument.")
    lead, trail = tuple(range(ind)), tuple(range(ind, x.ndim))
    flat = apply("inv", reshape(x, count(x, lead), count(x, trail)))
    return reshape(flat, *(size(x, k) for k in (*trail, *lead)))


@meaning(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Expr:
    """Return np.linalg.tensorsolve(a, b)."""
    x, y = expr(a), expr(b)
    if axes is not None:
        moved = [one_axis(k, x.ndim) for k in (axes if isinstance(axes, tuple | list) else (axes,))]
        x = permute(x, (*(k for k in range(x.ndim) if k not in moved), *moved))
    trail = tuple(range(y.ndim, x.ndim))
    flat = reshape(x, count(x, tuple(range(y.ndim))), count(x, trail))
    return reshape(apply("solve", flat, reshape(y, -1)), *(size(x, k) for k in trail))


# --- decompositions -----------------------------------------------------------------------------


@meaning(np.linalg.cholesky, static="upper")
def cholesky(a: Any, /, *, upper: bool = False) -> Expr:
    """Return np.linalg.cholesky(a)."""
    if not upper:
        return apply("cholesky", expr(a))
    return adjoint(apply("cholesky", adjoint(expr(a))))


def adjoint(x: Expr) -> Expr:
    """Return the conjugate transpose."""
    return swap(conj(x) if x.dtype.kind == "c" else x)


@meaning(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    """Return np.linalg.qr(a)."""
    if mode == "complete":
        raise unsupported(
            "np.linalg.qr(mode='complete') has no rule: the columns that complete Q are LAPACK's choice",
            "use mode='reduced', which is the same for a square matrix",
        )
    only("mode", mode, "reduced", "r")
    found = apply_all("qr", expr(a))
    return found[1] if mode == "r" else QRResult(*found)


def _half(half: Any) -> str:
    if not isinstance(half, str) or half.upper() not in ("L", "U"):
        raise ValueError("UPLO argument must be 'L' or 'U'")
    return half.upper()


@meaning(np.linalg.eigh)
def eigh(a: Any, UPLO: str = "L") -> Any:
    """Return np.linalg.eigh(a)."""
    return EighResult(*apply_all("eigh", expr(a), UPLO=_half(UPLO)))


@meaning(np.linalg.eigvalsh)
def eigvalsh(a: Any, UPLO: str = "L") -> Expr:
    """Return np.linalg.eigvalsh(a)."""
    return apply("eigvalsh", expr(a), UPLO=_half(UPLO))


@meaning(np.linalg.eig)
def eig(a: Any) -> Any:
    """Return np.linalg.eig(a), always complex."""
    return EigResult(*apply_all("eig", expr(a)))


@meaning(np.linalg.eigvals)
def eigvals(a: Any) -> Expr:
    """Return np.linalg.eigvals(a), always complex."""
    return apply("eigvals", expr(a))


@meaning(np.linalg.svd, static="full_matrices compute_uv hermitian")
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """Return np.linalg.svd(a)."""
    only("hermitian", hermitian, False)
    if not compute_uv:
        return apply("svdvals", expr(a))
    return SVDResult(*apply_all("svd", expr(a), full_matrices=bool(full_matrices)))


@meaning(np.linalg.svdvals)
def svdvals(x: Any, /) -> Expr:
    """Return np.linalg.svdvals(x)."""
    return apply("svdvals", expr(x))


# --- powers and products ------------------------------------------------------------------------


@meaning(np.linalg.matrix_power, static="n")
def matrix_power(a: Any, n: int) -> Expr:
    """Return np.linalg.matrix_power(a, n) by repeated squaring."""
    x = expr(a)
    if not isinstance(n, int):
        raise unsupported("the exponent of matrix_power must be an int of the text", "write a loop")
    if n == 0:
        return zeros_like(strong(x), dtype=None) + eye(
            size(x, x.ndim - 1), size(x, x.ndim - 1), dtype=strong(x).dtype
        )
    if n < 0:
        x, n = apply("inv", x), -n
    if n == 3:
        return matmul(matmul(x, x), x)
    square, found = x, None
    while n:
        n, bit = divmod(n, 2)
        if bit:
            found = square if found is None else matmul(found, square)
        if n:
            square = matmul(square, square)
    assert found is not None
    return found if found is not x else apply("copy", x)


@meaning(np.linalg.multi_dot)
def multi_dot(arrays: Any, *, out: Any = None) -> Expr:
    """Return np.linalg.multi_dot(arrays), from that end where the vector is, else from the left."""
    xs = exprs(arrays)
    if len(xs) < 2:
        raise ValueError("Expecting at least two arrays.")
    if xs[-1].ndim == 1:
        found = xs[-1]
        for x in reversed(xs[:-1]):
            found = matmul(x, found)
        return found
    found = xs[0]
    for x in xs[1:]:
        found = matmul(found, x)
    return found


FUNCTIONS[np.linalg.matmul] = FUNCTIONS[np.matmul]
FUNCTIONS[np.linalg.matrix_transpose] = make_call("matrix_transpose", matrix_transpose)
FUNCTIONS[np.linalg.vecdot] = FUNCTIONS[np.vecdot]


@meaning(np.linalg.outer)
def linalg_outer(x1: Any, x2: Any, /) -> Expr:
    """Return np.linalg.outer(x1, x2)."""
    return outer_(x1, x2)


@meaning(np.linalg.cross)
def linalg_cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Expr:
    """Return np.linalg.cross(x1, x2)."""
    return cross(x1, x2, axis=axis)


@meaning(np.linalg.tensordot)
def linalg_tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Expr:
    """Return np.linalg.tensordot(x1, x2, axes=axes)."""
    return tensordot(x1, x2, axes)


@meaning(np.linalg.diagonal)
def linalg_diagonal(x: Any, /, *, offset: int = 0) -> Expr:
    """Return np.linalg.diagonal(x): of the last two axes."""
    return diagonal(x, offset, -2, -1)


@meaning(np.linalg.trace)
def linalg_trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Expr:
    """Return np.linalg.trace(x): over the last two axes."""
    return trace(x, offset, -2, -1, dtype)


# --- norms --------------------------------------------------------------------------------------


def _inexact(x: Any) -> Expr:
    """The argument of a norm as NumPy takes it: ints as floats."""
    e = strong(expr(x))
    return e if e.dtype.kind in "fc" else cast(e, np.dtype(np.float64))


def _magnitudes(x: Expr) -> Expr:
    return apply("absolute", x)


def _two(x: Expr, axes: tuple[int, ...] | None, keepdims: bool) -> Expr:
    if x.dtype.kind == "c":
        x = _magnitudes(x)
    return apply("norm", x, axis=axes, keepdims=keepdims)


def _reduced(op: str, x: Expr, axis: int, keepdims: bool) -> Expr:
    return apply(op, x, axis=(axis,), keepdims=keepdims)


def _vector_norm(x: Expr, order: Any, axis: int, keepdims: bool) -> Expr:
    if order is None or order == 2:
        return _two(x, (axis,), keepdims)
    if order in (math.inf, -math.inf):
        return _reduced("max" if order > 0 else "min", _magnitudes(x), axis, keepdims)
    if order == 0:
        return total(cast(apply("not_equal", x, 0), np.zeros(0, x.dtype).real.dtype), axis, keepdims)
    if order == 1:
        return total(_magnitudes(x), axis, keepdims)
    if not isinstance(order, int | float):
        raise ValueError(f"Invalid norm order '{order}' for vectors")
    found = total(power(_magnitudes(x), order), axis, keepdims)
    return where(found.eq(0), 0.0, power(nonzero_denominator(found), 1.0 / order))


def _matrix_norm(x: Expr, order: Any, axes: tuple[int, int], keepdims: bool) -> Expr:
    row, col = axes
    if order is None or order in ("fro", "f"):
        return _two(x, tuple(sorted(axes)), keepdims)
    if order in (1, -1, math.inf, -math.inf):
        over, along = (row, col) if order in (1, -1) else (col, row)
        sums = total(_magnitudes(x), over, True)
        axis = tuple(sorted((over, along)))
        return apply("max" if order > 0 else "min", sums, axis=axis, keepdims=keepdims)
    if order not in (2, -2, "nuc"):
        raise ValueError("Invalid norm order for matrices.")
    rest = tuple(k for k in range(x.ndim) if k not in axes)
    s = apply("svdvals", permute(x, (*rest, row, col)))
    last = s.ndim - 1
    found = total(s, last) if order == "nuc" else _reduced("max" if order == 2 else "min", s, last, False)
    if not keepdims:
        return found
    return expand(found if found.is_array else apply("array0", found), *sorted(axes))


@meaning(np.linalg.norm, static="ord")
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Expr:
    """Return np.linalg.norm(x)."""
    a = _inexact(x)
    if axis is None:
        if ord is None:
            return _two(a, None, keepdims)
        if a.ndim not in (1, 2):
            raise ValueError("Improper number of dimensions to norm.")
        axes: tuple[int, ...] = tuple(range(a.ndim))
    else:
        axes = tuple(one_axis(k, a.ndim) for k in (axis if isinstance(axis, tuple | list) else (axis,)))
    if len(axes) == 1:
        return _vector_norm(a, ord, axes[0], keepdims)
    if len(axes) != 2 or axes[0] == axes[1]:
        raise ValueError("Improper number of dimensions to norm.")
    return _matrix_norm(a, ord, (axes[0], axes[1]), keepdims)


@meaning(np.linalg.matrix_norm, static="ord")
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Expr:
    """Return np.linalg.matrix_norm(x)."""
    a = _inexact(x)
    return _matrix_norm(a, ord, (a.ndim - 2, a.ndim - 1), keepdims)


@meaning(np.linalg.vector_norm, static="ord")
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Expr:
    """Return np.linalg.vector_norm(x): of the elements along the axes as one vector."""
    a = _inexact(x)
    if isinstance(axis, int):
        return _vector_norm(a, ord, one_axis(axis, a.ndim), keepdims)
    axes = some_axes(axis, a.ndim) if axis is not None else tuple(range(a.ndim))
    assert axes is not None
    rest = tuple(k for k in range(a.ndim) if k not in axes)
    lines = reshape(permute(a, (*rest, *axes)), *(size(a, k) for k in rest), count(a, axes))
    found = _vector_norm(lines if rest else reshape(a, -1), ord, len(rest), False)
    return expand(as_rank0(found), *axes) if keepdims else found


def _real_only(x: Expr) -> None:
    if x.dtype.kind == "c":
        raise unsupported("hermitian=True of complex matrices is not supported", "leave out hermitian=")


@meaning(np.linalg.matrix_rank, static="hermitian tol rtol")
def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Expr:
    """Return np.linalg.matrix_rank(A): how many singular values are beyond the limit."""
    x = expr(A)
    if x.ndim < 2:
        raise unsupported("np.linalg.matrix_rank takes matrices", "np.any(x != 0) for a vector")
    if hermitian:
        _real_only(x)
        x = from_lower(x)
    s = apply("svdvals", apply("stop_gradient", x))
    if tol is not None:
        limit: Any = tol
    else:
        n, m = size(x, x.ndim - 2), size(x, x.ndim - 1)
        share = apply("py_max", n, m) * float(np.finfo(s.dtype.name).eps) if rtol is None else rtol
        limit = _reduced("max", s, s.ndim - 1, True) * share
    return apply("count_nonzero", s > limit, axis=(s.ndim - 1,), keepdims=False)


@meaning(np.linalg.cond, static="p")
def cond(x: Any, p: Any = None) -> Expr:
    """Return np.linalg.cond(x, p)."""
    a = _inexact(x)
    if p is None or p in (2, -2):
        s = apply("svdvals", a)
        first, last = (take_at(s, s.ndim - 1, literal(k)) for k in (0, -1))
        return last / first if p == -2 else first / last
    axes = (a.ndim - 2, a.ndim - 1)
    return _matrix_norm(a, p, axes, False) * _matrix_norm(apply("inv", a), p, axes, False)
