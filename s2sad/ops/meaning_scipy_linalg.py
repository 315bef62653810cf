"""What calls of scipy.linalg mean. How a result is computed (overwrite_*, check_finite, lapack_driver) does
not matter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from s2sad.ir.path import Fancy
from s2sad.ops import meaning_linalg as of_numpy
from s2sad.ops.call import as_rank0, expr, only, strong, unsupported
from s2sad.ops.declare import literal_value
from s2sad.ops.expr import Expr, apply, apply_all
from s2sad.ops.functions import (
    arange,
    cast,
    concatenate,
    conj,
    expand,
    eye,
    flip,
    item_at,
    size,
    span_at,
    swap,
    tril,
    triu,
    zeros,
)
from s2sad.ops.meaning_shape import join
from s2sad.ops.triangular import rows_at, unit_lower
from s2sad.ops.triangular import solve_triangular as triangular

STATIC = "lower trans unit_diagonal overwrite_a overwrite_b overwrite_ab check_finite l_and_u full_matrices "
STATIC += "compute_uv lapack_driver assume_a transposed ord eigvals_only left right permute_l p_indices disp"


def _flag(value: Any) -> bool:
    return bool(literal_value(value) if isinstance(value, Expr) else value)


# --- systems ------------------------------------------------------------------------------------


def solve_triangular(
    a: Any, b: Any, trans: Any = 0, lower: Any = False, unit_diagonal: Any = False, overwrite_b: Any = False,
    check_finite: Any = True,
) -> Expr:  # fmt: skip
    """Return scipy.linalg.solve_triangular(a, b)."""
    only("trans", trans, 0, 1, False, True, "N", "T")
    return triangular(expr(a), expr(b), bool(lower), trans in (1, "T"), bool(unit_diagonal))


def solve(
    a: Any, b: Any, lower: Any = False, overwrite_a: Any = False, overwrite_b: Any = False,
    check_finite: Any = True, assume_a: Any = None, transposed: Any = False,
) -> Expr:  # fmt: skip
    """Return scipy.linalg.solve(a, b)."""
    x = expr(a)
    only("assume_a", assume_a, None, "gen", "general", "sym", "symmetric", "pos", "positive definite")
    if assume_a not in (None, "gen", "general"):
        part = tril(x) if lower else triu(x)
        x = part + swap(tril(x, k=-1) if lower else triu(x, k=1))
    return apply("solve", swap(x) if transposed else x, expr(b))


def cholesky(a: Any, lower: Any = False, overwrite_a: Any = False, check_finite: Any = True) -> Expr:
    """Return scipy.linalg.cholesky(a)."""
    x = expr(a)
    return apply("cholesky", x) if lower else swap(apply("cholesky", swap(x)))


def cho_factor(a: Any, lower: Any = False, overwrite_a: Any = False, check_finite: Any = True) -> Any:
    """Return scipy.linalg.cho_factor(a), with zeros in the other triangle, where SciPy leaves anything."""
    return cholesky(a, lower), bool(lower)


def cho_solve(c_and_lower: Any, b: Any, overwrite_b: Any = False, check_finite: Any = True) -> Expr:
    """Return scipy.linalg.cho_solve((c, lower), b)."""
    c, lower = c_and_lower
    factor, is_lower = expr(c), _flag(lower)
    inner = triangular(factor, expr(b), is_lower, trans=not is_lower)
    return triangular(factor, inner, is_lower, trans=is_lower)


def lu_factor(a: Any, overwrite_a: Any = False, check_finite: Any = True) -> Any:
    """Return scipy.linalg.lu_factor(a)."""
    return apply_all("lu_factor", expr(a))


def lu_solve(
    lu_and_piv: Any, b: Any, trans: Any = 0, overwrite_b: Any = False, check_finite: Any = True
) -> Expr:
    """Return scipy.linalg.lu_solve((lu, piv), b)."""
    only("trans", trans, 0, 1)
    lu, piv = (expr(e) for e in lu_and_piv)
    order = apply("row_order", piv)
    if trans:
        inner = triangular(lu, expr(b), lower=False, trans=True)
        inner = triangular(lu, inner, lower=True, trans=True, unit=True)
        return rows_at(inner, apply("argsort", order, axis=0))
    inner = triangular(lu, rows_at(expr(b), order), lower=True, unit=True)
    return triangular(lu, inner, lower=False)


def lu(
    a: Any, permute_l: Any = False, overwrite_a: Any = False, check_finite: Any = True, p_indices: Any = False
) -> Any:
    """Return scipy.linalg.lu(a) of a square matrix."""
    packed, piv = apply_all("lu_factor", expr(a))
    order = apply("row_order", piv)
    low, up = unit_lower(packed), triu(packed)
    back = apply("argsort", order, axis=0)
    if permute_l:
        return rows_at(low, back), up
    if p_indices:
        return cast(back, np.dtype(np.int32)), low, up
    return rows_at(eye(size(packed, 0), size(packed, 0), dtype=packed.dtype), back), low, up


def solve_banded(
    l_and_u: Any, ab: Any, b: Any, overwrite_ab: Any = False, overwrite_b: Any = False,
    check_finite: Any = True,
) -> Expr:  # fmt: skip
    """Return scipy.linalg.solve_banded((l, u), ab, b)."""
    lower, upper = l_and_u
    return apply("solve_banded", expr(ab), expr(b), lower=int(lower), upper=int(upper))


def solve_sylvester(a: Any, b: Any, q: Any) -> Expr:
    """Return scipy.linalg.solve_sylvester(a, b, q)."""
    return apply("solve_sylvester", expr(a), expr(b), expr(q))


# --- functions of matrices ----------------------------------------------------------------------


def expm(A: Any) -> Expr:
    """Return scipy.linalg.expm(A)."""
    return apply("expm", expr(A))


def sqrtm(A: Any, disp: Any = True, blocksize: Any = 64) -> Expr:
    """Return scipy.linalg.sqrtm(A) where it is real."""
    only("disp", disp, True)
    return apply("sqrtm", expr(A))


# --- decompositions that NumPy has --------------------------------------------------------------


def inv(a: Any, overwrite_a: Any = False, check_finite: Any = True) -> Expr:
    """Return scipy.linalg.inv(a)."""
    return of_numpy.inv(a)


def det(a: Any, overwrite_a: Any = False, check_finite: Any = True) -> Expr:
    """Return scipy.linalg.det(a), in double precision."""
    x = expr(a)
    return of_numpy.det(cast(x, np.result_type(x.dtype, np.float64)))


def pinv(a: Any) -> Expr:
    """Return scipy.linalg.pinv(a)."""
    return of_numpy.pinv(a)


def norm(a: Any, ord: Any = None, axis: Any = None, keepdims: Any = False, check_finite: Any = True) -> Expr:
    """Return scipy.linalg.norm(a): a Python float where BLAS or LAPACK gives it to SciPy."""
    x = expr(a)
    y = of_numpy.norm(x, ord, axis, keepdims)
    if axis is not None or keepdims or x.dtype.kind not in "fc":
        return y
    by_library = ord in (None, 2) if x.ndim == 1 else x.ndim == 2 and ord in (1, np.inf)
    return apply("to_float", y) if by_library else y


def svd(
    a: Any, full_matrices: Any = True, compute_uv: Any = True, overwrite_a: Any = False,
    check_finite: Any = True, lapack_driver: Any = "gesdd",
) -> Any:  # fmt: skip
    """Return scipy.linalg.svd(a)."""
    found = of_numpy.svd(a, full_matrices, compute_uv)
    return tuple(found) if compute_uv else found


def svdvals(a: Any, overwrite_a: Any = False, check_finite: Any = True) -> Expr:
    """Return scipy.linalg.svdvals(a)."""
    return apply("svdvals", expr(a))


def eigh(a: Any, b: Any = None, *, lower: Any = True, eigvals_only: Any = False) -> Any:
    """Return scipy.linalg.eigh(a)."""
    if b is not None:
        raise unsupported("generalised eigenvalues are not supported", "use a Cholesky factor of b")
    if eigvals_only:
        return of_numpy.eigvalsh(a, "L" if lower else "U")
    return tuple(apply_all("scipy_eigh", expr(a), lower=bool(lower)))


def eigvalsh(a: Any, b: Any = None, *, lower: Any = True) -> Any:
    """Return scipy.linalg.eigvalsh(a)."""
    return eigh(a, b, lower=lower, eigvals_only=True)


# --- matrices of a pattern ----------------------------------------------------------------------


def toeplitz(c: Any, r: Any = None) -> Expr:
    """Return scipy.linalg.toeplitz(c, r)."""
    column = _vector(c)
    row = (conj(column) if column.dtype.kind == "c" else column) if r is None else _vector(r)
    n, m = size(column, 0), size(row, 0)
    values = concatenate((flip(column, 0), span_at(row, 0, lo=1)), 0)
    return _gathered(values, n - 1, n, m, -1)


def hankel(c: Any, r: Any = None) -> Expr:
    """Return scipy.linalg.hankel(c, r)."""
    column = _vector(c)
    row = apply("zeros_like", column, dtype=None) if r is None else _vector(r)
    values = concatenate((column, span_at(row, 0, lo=1)), 0)
    return _gathered(values, 0, size(column, 0), size(row, 0), 1)


def circulant(c: Any) -> Expr:
    """Return scipy.linalg.circulant(c)."""
    column = _vector(c)
    n = size(column, 0)
    values = concatenate((flip(column, 0), flip(column, 0)), 0)
    return _gathered(values, n - 1, n, n, -1)


def _vector(x: Any) -> Expr:
    e = as_rank0(strong(expr(x)))
    if e.ndim != 1:
        raise unsupported("a matrix of this pattern is made of vectors here", "ravel the argument")
    return e


def _gathered(values: Expr, start: Any, n: Expr, m: Expr, sign: int) -> Expr:
    """values[start + sign * i + j] at row i and column j, j backwards where sign is -1."""
    rows, columns = expand(arange(0, n, 1, dtype=None), 1), arange(0, m, 1, dtype=None)
    index = rows + columns if sign > 0 else start - rows + columns
    return item_at(values, 0, Fancy(), index)


def block_diag(*arrs: Any) -> Expr:
    """Return scipy.linalg.block_diag(*arrs)."""
    blocks = [_matrix(a) for a in arrs]
    kind = np.result_type(*(b.dtype for b in blocks))
    lines = []
    for k, block in enumerate(blocks):
        n = size(block, 0)
        parts = [block if j == k else zeros(n, size(b, 1), dtype=kind) for j, b in enumerate(blocks)]
        lines.append(join(tuple(parts), 1))
    return join(tuple(lines), 0)


def _matrix(a: Any) -> Expr:
    e = as_rank0(strong(expr(a)))
    if e.ndim > 2:
        raise ValueError("arguments in the following positions have dimension greater than 2")
    return e if e.ndim == 2 else expand(e, *range(2 - e.ndim)) if e.ndim else apply("reshape", e, 1, 1)


LINALG: tuple[Callable[..., Any], ...] = (
    solve_triangular, solve, cholesky, cho_factor, cho_solve, lu_factor, lu_solve, lu, solve_banded,
    solve_sylvester, expm, sqrtm, inv, det, pinv, norm, svd, svdvals, eigh, eigvalsh, toeplitz, hankel,
    circulant, block_diag,
)  # fmt: skip
