"""Eigenvectors of a symmetric matrix of which the upper half is read, for Numba, which reads the lower one:
vectors that are found from the other half have other signs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from s2sad.emit.numba_library import check, compiled, lapack

DSYEVD, ZHEEVD = lapack("dsyevd", 11), lapack("zheevd", 13)


@compiled
def _texts() -> Any:
    return np.array([86, 85], np.uint8)  # "V" and "U": the vectors too, from the upper half


@compiled
def _sizes(n: int, length: int) -> Any:
    """The order, the lengths of the two or three pieces of memory, and what LAPACK says of its success."""
    return np.array([n, length, 1 + 5 * n + 2 * n * n, 3 + 5 * n, 0], np.int32)


@compiled
def _of_reals(a: Any) -> Any:
    n = a.shape[0]
    w, columns = np.empty(n), a.T.copy()
    texts, sizes = _texts(), _sizes(n, 1 + 40 * n + 2 * n * n)
    work, ints = np.empty(sizes[1]), np.empty(sizes[3], np.int32)
    DSYEVD(
        texts.ctypes, texts[1:].ctypes, sizes.ctypes, columns.ctypes, sizes.ctypes, w.ctypes, work.ctypes,
        sizes[1:].ctypes, ints.ctypes, sizes[3:].ctypes, sizes[4:].ctypes,
    )  # fmt: skip
    check(sizes[4])
    return w, columns.T.copy()


@compiled
def _of_complex(a: Any) -> Any:
    n = a.shape[0]
    w, columns = np.empty(n), a.T.copy()
    texts, sizes = _texts(), _sizes(n, 34 * n + n * n)
    work, reals, ints = np.empty(sizes[1], np.complex128), np.empty(sizes[2]), np.empty(sizes[3], np.int32)
    ZHEEVD(
        texts.ctypes, texts[1:].ctypes, sizes.ctypes, columns.ctypes, sizes.ctypes, w.ctypes, work.ctypes,
        sizes[1:].ctypes, reals.ctypes, sizes[2:].ctypes, ints.ctypes, sizes[3:].ctypes, sizes[4:].ctypes,
    )  # fmt: skip
    check(sizes[4])
    return w, columns.T.copy()


def _found(a: Any) -> Any:
    """Stands for the functions above."""


@overload(_found, strict=False)
def _typed(a: Any) -> Callable[..., Any]:
    if isinstance(a.dtype, types.Complex):
        return lambda a: _of_complex(a)
    return lambda a: _of_reals(a)


@compiled
def eigh_upper(a: Any) -> Any:
    """Return eigenvalues and eigenvectors of a symmetric or Hermitian matrix."""
    if a.shape[0] != a.shape[1]:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    return _found(a)
