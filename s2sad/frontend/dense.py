"""The linear solver that derivatives of equations take if none is chosen: a program, read like the user's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Operator = Callable[[Any], Any]


def dense(matvec: Operator, b: Any) -> Any:
    """Return x with matvec(x) = b: by the matrix, one product per column, and its LU factors."""
    if np.ndim(b) == 0:
        return b / matvec(np.ones_like(b))
    n = b.size
    A = np.empty((n, n), dtype=b.dtype)
    for k in range(n):
        unit = np.zeros(n, dtype=b.dtype)
        unit[k] = 1.0
        A[:, k] = matvec(unit.reshape(b.shape)).reshape(n)
    return np.linalg.solve(A, b.reshape(n)).reshape(b.shape)
