"""scipy.linalg for Numba: LAPACK's own functions, and the exponential of a matrix."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg
from numba.extending import overload

from s2sad.emit.numba_library import compiled, lapack
from s2sad.emit.numba_solve import factors

DTRTRS, DGBSV = lapack("dtrtrs", 10), lapack("dgbsv", 10)
EXACT_UP_TO = 5.371920351148152  # the 1-norm up to which the approximant of degree 13 is exact
PADE = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0, 129060195264000.0,
    10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip


@compiled
def _int(n: int) -> Any:
    return np.array([n], np.int32)


# --- systems ------------------------------------------------------------------------------------


@compiled
def triangular(a: Any, b: Any, trans: bool, lower: bool, unit: bool) -> Any:
    """Return the solution of a triangular system with one column per right-hand side."""
    n, m = b.shape
    if a.shape[0] != a.shape[1] or a.shape[0] != n:
        raise ValueError("incompatible dimensions")
    if n == 0 or m == 0:
        return b.copy()
    # LAPACK reads columns: of our rows it sees the transpose
    half, turn = (85, 78) if lower else (76, 78)
    if not trans:
        turn = 84
    texts = np.array([half, turn, 85 if unit else 78], np.uint8)  # "U" or "L", "T" or "N", "U" or "N"
    x, info = b.T.copy(), _int(0)
    rows, columns = _int(n), _int(m)
    DTRTRS(
        texts.ctypes, texts[1:].ctypes, texts[2:].ctypes, rows.ctypes, columns.ctypes, a.ctypes, rows.ctypes,
        x.ctypes, rows.ctypes, info.ctypes,
    )  # fmt: skip
    if info[0] > 0:
        raise np.linalg.LinAlgError("singular matrix")
    return x.T.copy()


@overload(scipy.linalg.solve_triangular, strict=False)
def _solve_triangular(
    a: Any, b: Any, trans: int = 0, lower: bool = False, unit_diagonal: bool = False
) -> Callable[..., Any]:
    if b.ndim == 1:
        return lambda a, b, trans=0, lower=False, unit_diagonal=False: triangular(
            a, b.reshape(b.size, 1), bool(trans), lower, unit_diagonal
        )[:, 0].copy()
    return lambda a, b, trans=0, lower=False, unit_diagonal=False: triangular(
        a, b, bool(trans), lower, unit_diagonal
    )


@compiled
def banded(lower: int, upper: int, ab: Any, b: Any) -> Any:
    """Return the solution of a banded system with one column per right-hand side."""
    n, m = b.shape
    if ab.shape[0] != lower + upper + 1 or ab.shape[1] != n:
        raise ValueError("incompatible dimensions")
    if n == 0 or m == 0:
        return b.copy()
    height = 2 * lower + upper + 1
    bands = np.zeros((n, height))
    bands[:, lower:] = ab.T
    x, info, exchanges = b.T.copy(), _int(0), np.zeros(n, np.int32)
    rows, columns, below, above, lead = _int(n), _int(m), _int(lower), _int(upper), _int(height)
    DGBSV(
        rows.ctypes, below.ctypes, above.ctypes, columns.ctypes, bands.ctypes, lead.ctypes, exchanges.ctypes,
        x.ctypes, rows.ctypes, info.ctypes,
    )  # fmt: skip
    if info[0] > 0:
        raise np.linalg.LinAlgError("singular matrix")
    return x.T.copy()


@overload(scipy.linalg.solve_banded, strict=False)
def _solve_banded(l_and_u: Any, ab: Any, b: Any) -> Callable[..., Any]:
    if b.ndim == 1:
        return lambda l_and_u, ab, b: banded(l_and_u[0], l_and_u[1], ab, b.reshape(b.size, 1))[:, 0].copy()
    return lambda l_and_u, ab, b: banded(l_and_u[0], l_and_u[1], ab, b)


@compiled
def factored(a: Any) -> Any:
    """Return the packed factors of a square matrix, and the exchanges of rows."""
    if a.shape[0] != a.shape[1]:
        raise ValueError("expected square matrix")
    columns, exchanges, _ = factors(a)
    for k in range(exchanges.size):
        exchanges[k] -= 1
    return columns.T.copy(), exchanges


@overload(scipy.linalg.lu_factor, strict=False)
def _lu_factor(a: Any) -> Callable[..., Any]:
    return lambda a: factored(a)


# --- the exponential ----------------------------------------------------------------------------


@compiled
def exponential(a: Any) -> Any:
    """Return the exponential of a matrix by scaling, the diagonal Padé approximant of degree 13 and squaring
    (Higham, The scaling and squaring method for the matrix exponential revisited, 2005)."""
    n = a.shape[0]
    if a.shape[1] != n:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    one = np.eye(n)
    if n == 0:
        return one
    size = 0.0
    for j in range(n):
        column = np.sum(np.abs(a[:, j]))
        if not np.isfinite(column):
            return np.full((n, n), np.nan)
        size = max(size, column)
    halvings = 0
    if size > EXACT_UP_TO:
        halvings = math.ceil(math.log2(size / EXACT_UP_TO))
    x = np.ascontiguousarray(a / 2.0**halvings)
    p2 = x @ x
    p4 = p2 @ p2
    p6 = p4 @ p2
    c = PADE
    odd = x @ (p6 @ (c[13] * p6 + c[11] * p4 + c[9] * p2) + c[7] * p6 + c[5] * p4 + c[3] * p2 + c[1] * one)
    even = p6 @ (c[12] * p6 + c[10] * p4 + c[8] * p2) + c[6] * p6 + c[4] * p4 + c[2] * p2 + c[0] * one
    found = np.ascontiguousarray(np.linalg.solve(even - odd, even + odd))
    for _ in range(halvings):
        found = found @ found
    return found


@overload(scipy.linalg.expm, strict=False)
def _expm(a: Any) -> Callable[..., Any]:
    return lambda a: exponential(a)
