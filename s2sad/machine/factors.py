"""Square systems of doubles whose matrix is used more than once: LAPACK's factors."""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.machine.lapack import LAPACK


def lu_factored(a: Any) -> Any:
    """Return the factors of a matrix for lu_solved, and below them the exchanges of rows."""
    if a.shape[0] != a.shape[1]:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    if not a.size:
        return np.zeros((1, 0))
    factors, exchanges, zero = LAPACK.getrf(a)  # Fortran reads columns: of our rows it sees the transpose
    if zero > 0:
        raise np.linalg.LinAlgError("Singular matrix")
    return np.vstack((factors, exchanges))


def lu_solved(packed: Any, b: Any, turned: bool) -> Any:
    """Return the solution of a system by the factors of its matrix, or of the transpose of its matrix."""
    if b.shape[0] != packed.shape[1]:
        raise ValueError("solve: Input operand 1 has a mismatch in its core dimension 0")
    if not b.size:
        return b.copy()
    return LAPACK.getrs(packed[:-1], packed[-1], b, not turned)


FUNCTIONS = {"lu_factored": lu_factored, "lu_solved": lu_solved}
