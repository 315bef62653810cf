"""Square systems of doubles: LAPACK's factors, to be used more than once. Numba's own np.linalg.solve takes
seconds to compile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba.extending import overload

from s2sad.emit.numba_library import compiled, lapack

DGETRF, DGETRS = lapack("dgetrf", 6), lapack("dgetrs", 9)


@compiled
def factors(a: Any) -> Any:
    """Return the factors of a square matrix in Fortran's order, the exchanges of rows, counted from 1, and
    which diagonal entry is zero, if one is."""
    n = a.shape[0]
    columns, exchanges = a.T.copy(), np.zeros(n, np.int32)
    rows, info = np.array([n], np.int32), np.zeros(1, np.int32)
    if n:
        DGETRF(rows.ctypes, rows.ctypes, columns.ctypes, rows.ctypes, exchanges.ctypes, info.ctypes)
    return columns, exchanges, info[0]


@compiled
def lu_factored(a: Any) -> Any:
    """Return what lu_solved takes; LinAlgError for a matrix that is not square, or singular."""
    if a.shape[0] != a.shape[1]:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    columns, exchanges, zero = factors(a)
    if zero > 0:
        raise np.linalg.LinAlgError("Singular matrix")
    return columns, exchanges


@compiled
def _substituted(columns: Any, exchanges: Any, x: Any, count: int, turned: bool) -> None:
    n = exchanges.size
    rows, sides, info = np.array([n], np.int32), np.array([count], np.int32), np.zeros(1, np.int32)
    turn = np.array([84 if turned else 78], np.uint8)  # "T" or "N"
    if n and count:
        DGETRS(
            turn.ctypes, rows.ctypes, sides.ctypes, columns.ctypes, rows.ctypes, exchanges.ctypes, x.ctypes,
            rows.ctypes, info.ctypes,
        )  # fmt: skip


@compiled
def _vector(factors: Any, b: Any, turned: bool) -> Any:
    columns, exchanges = factors
    if b.shape[0] != exchanges.size:
        raise ValueError("solve: Input operand 1 has a mismatch in its core dimension 0")
    x = b.copy()
    _substituted(columns, exchanges, x, 1, turned)
    return x


@compiled
def _matrix(factors: Any, b: Any, turned: bool) -> Any:
    columns, exchanges = factors
    if b.shape[0] != exchanges.size:
        raise ValueError("solve: Input operand 1 has a mismatch in its core dimension 0")
    x = b.T.copy()
    _substituted(columns, exchanges, x, b.shape[1], turned)
    return x.T


def _solved(factors: Any, b: Any, turned: bool) -> Any:
    """Stands for the function of this name in emitted text."""


@overload(_solved, strict=False)
def _typed(factors: Any, b: Any, turned: Any) -> Callable[..., Any]:
    if b.ndim == 1:
        return lambda factors, b, turned: _vector(factors, b, turned)
    return lambda factors, b, turned: _matrix(factors, b, turned)


@compiled
def lu_solved(factors: Any, b: Any, turned: bool) -> Any:
    """Return the solution of a system by the factors of its matrix, or of the transpose of its matrix."""
    return _solved(factors, b, turned)


def replaced(namespace: dict[str, Any]) -> dict[str, Any]:
    """Return what stands for those functions of an emitted text that are here."""
    here = {"lu_factored": lu_factored, "lu_solved": lu_solved}
    return {name: f for name, f in here.items() if name in namespace}
