"""The linear solver that derivatives of equations take if none is chosen: a program, read like the user's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Operator = Callable[[Any], Any]


def dense(matvec: Operator, b: Any) -> Any:
    """Return x with matvec(x) = b: by the matrix, one product per column, and its LU factors."""
    if np.iscomplexobj(b):
        return of_parts(matvec, b)
    if np.ndim(b) == 0:
        return b / matvec(np.ones_like(b))
    n = b.size
    A = np.empty((n, n), dtype=b.dtype)
    for k in range(n):
        unit = np.zeros(n, dtype=b.dtype)
        unit[k] = 1.0
        A[:, k] = matvec(unit.reshape(b.shape)).reshape(n)
    return np.linalg.solve(A, b.reshape(n)).reshape(b.shape)


def of_parts(matvec: Operator, b: Any) -> Any:
    """The same of complex numbers, for real and imaginary parts: operators that conjugate, as derivatives of
    functions that are not analytic do, have no complex matrix."""
    if np.ndim(b) == 0:
        p, q = matvec(np.ones_like(b)), matvec(1j * np.ones_like(b))
        det = p.real * q.imag - q.real * p.imag
        re, im = b.real * q.imag - q.real * b.imag, p.real * b.imag - b.real * p.imag
        return (re + 1j * im) / det
    n = b.size
    flat = b.reshape(n)
    A = np.empty((2 * n, 2 * n), dtype=flat.real.dtype)
    for k in range(2 * n):
        unit = np.zeros(n, dtype=b.dtype)
        unit[k % n] = 1.0 if k < n else 1j
        column = matvec(unit.reshape(b.shape)).reshape(n)
        A[:n, k] = column.real
        A[n:, k] = column.imag
    x = np.linalg.solve(A, np.concatenate((flat.real, flat.imag)))
    return (x[:n] + 1j * x[n:]).reshape(b.shape)
