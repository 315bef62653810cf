"""What compiled code needs and Numba lacks: Fourier transforms, eigenvalues of general matrices."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numba.extending import overload

from s2sad.emit.numba_symbols import external

compiled = numba.njit(error_model="numpy", nogil=True)


# --- Fourier transforms -------------------------------------------------------------------------


@compiled
def power_of_two(x: Any, back: bool) -> Any:
    """Return the transform of 2**p complex numbers, by decimation in time (Cooley and Tukey 1965)."""
    n = x.shape[0]
    y = np.empty(n, np.complex128)
    j = 0
    for i in range(n):
        y[i] = x[j]
        bit = n >> 1
        while bit and j & bit:
            j ^= bit
            bit >>= 1
        j |= bit
    turn = 2.0 * math.pi / n * (1.0 if back else -1.0)
    w = np.empty(n // 2, np.complex128)
    for k in range(n // 2):
        w[k] = complex(math.cos(turn * k), math.sin(turn * k))
    half = 1
    while half < n:
        step = n // (2 * half)
        for start in range(0, n, 2 * half):
            for k in range(half):
                even, odd = y[start + k], w[k * step] * y[start + half + k]
                y[start + k] = even + odd
                y[start + half + k] = even - odd
        half *= 2
    return y


@compiled
def fourier(x: Any) -> Any:
    """Return the discrete Fourier transform of a vector: as it stands for powers of two, else as a
    convolution (Bluestein 1970)."""
    n = x.shape[0]
    if n & (n - 1) == 0:
        return power_of_two(x, False)
    m = 1
    while m < 2 * n - 1:
        m *= 2
    a, b, chirp = np.zeros(m, np.complex128), np.zeros(m, np.complex128), np.empty(n, np.complex128)
    for k in range(n):
        angle = math.pi * ((k * k) % (2 * n)) / n
        chirp[k] = complex(math.cos(angle), -math.sin(angle))
        a[k] = x[k] * chirp[k]
        b[k] = chirp[k].conjugate()
        if k:
            b[m - k] = b[k]
    p = power_of_two(a, False) * power_of_two(b, False)
    c = power_of_two(p, True)
    y = np.empty(n, np.complex128)
    for k in range(n):
        y[k] = chirp[k] * c[k] / m
    return y


@overload(np.fft.fft, strict=False)
def _fft(a: Any) -> Callable[..., Any]:
    return lambda a: fourier(a)


# --- eigenvalues: LAPACK's geev, as NumPy calls it ----------------------------------------------


def lapack(name: str, count: int = 14) -> Any:
    """Return a function of LAPACK that takes `count` pointers."""
    return external("scipy.linalg.cython_lapack", name, numba.void(*[numba.types.voidptr] * count))


def blas(name: str, count: int) -> Any:
    """Return a function of BLAS that takes `count` pointers."""
    return external("scipy.linalg.cython_blas", name, numba.void(*[numba.types.voidptr] * count))


DGEEV, ZGEEV = lapack("dgeev"), lapack("zgeev")


@compiled
def check(info: int) -> None:
    """Raise where LAPACK says that it has found no eigenvalues."""
    if info > 0:
        raise np.linalg.LinAlgError("Eigenvalues did not converge")


@compiled
def _geev_real(a: Any, vectors: bool) -> Any:
    n = a.shape[0]
    if a.shape[1] != n:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    w, v = np.empty(n, np.complex128), np.empty((n, n), np.complex128)
    if n == 0:
        return w, v
    columns = a.T.copy()
    real, imag, found = np.empty(n), np.empty(n), np.empty((n, n))
    left, lead = np.empty((1, 1)), np.array([1], np.int32)
    no, yes = np.array([78], np.uint8), np.array([86 if vectors else 78], np.uint8)  # "N" and "V"
    size, info = np.array([n], np.int32), np.zeros(1, np.int32)
    length = np.array([max(8 * n, 64)], np.int32)
    work = np.empty(length[0])
    DGEEV(
        no.ctypes, yes.ctypes, size.ctypes, columns.ctypes, size.ctypes, real.ctypes, imag.ctypes,
        left.ctypes, lead.ctypes, found.ctypes, size.ctypes, work.ctypes, length.ctypes, info.ctypes,
    )  # fmt: skip
    check(info[0])
    k = 0
    while k < n:
        w[k] = complex(real[k], imag[k])
        if imag[k] == 0.0:
            for i in range(n):
                v[i, k] = found[k, i]
            k += 1
            continue
        w[k + 1] = complex(real[k + 1], imag[k + 1])
        for i in range(n):  # a pair: real and imaginary part of the first
            v[i, k] = complex(found[k, i], found[k + 1, i])
            v[i, k + 1] = complex(found[k, i], -found[k + 1, i])
        k += 2
    return w, v


@compiled
def _geev_complex(a: Any, vectors: bool) -> Any:
    n = a.shape[0]
    if a.shape[1] != n:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    w, v = np.empty(n, np.complex128), np.empty((n, n), np.complex128)
    if n == 0:
        return w, v
    columns = a.T.copy()
    left, lead = np.empty((1, 1), np.complex128), np.array([1], np.int32)
    no, yes = np.array([78], np.uint8), np.array([86 if vectors else 78], np.uint8)
    size, info = np.array([n], np.int32), np.zeros(1, np.int32)
    length = np.array([max(8 * n, 64)], np.int32)
    work, reals = np.empty(length[0], np.complex128), np.empty(2 * n)
    ZGEEV(
        no.ctypes, yes.ctypes, size.ctypes, columns.ctypes, size.ctypes, w.ctypes, left.ctypes, lead.ctypes,
        v.ctypes, size.ctypes, work.ctypes, length.ctypes, reals.ctypes, info.ctypes,
    )  # fmt: skip
    check(info[0])
    return w, v.T.copy()


def _eig(a: Any) -> Any:
    """Stands for the function of this name in emitted text, which Numba could not compile."""


def _eigvals(a: Any) -> Any:
    """Stands for the function of this name in emitted text, which Numba could not compile."""


@overload(_eig, strict=False)
def _typed_eig(a: Any) -> Callable[..., Any]:
    if isinstance(a.dtype, numba.types.Complex):
        return lambda a: _geev_complex(a.astype(np.complex128), True)
    return lambda a: _geev_real(a.astype(np.float64), True)


@overload(_eigvals, strict=False)
def _typed_eigvals(a: Any) -> Callable[..., Any]:
    if isinstance(a.dtype, numba.types.Complex):
        return lambda a: _geev_complex(a.astype(np.complex128), False)[0]
    return lambda a: _geev_real(a.astype(np.float64), False)[0]


@compiled
def eig(a: Any) -> Any:
    """Return eigenvalues and eigenvectors of a matrix, complex."""
    return _eig(a)


@compiled
def eigvals(a: Any) -> Any:
    """Return the eigenvalues of a matrix, complex."""
    return _eigvals(a)


def replaced(namespace: dict[str, Any]) -> dict[str, Any]:
    """Return what stands for those functions of an emitted text that Numba could not compile."""
    return {name: f for name, f in (("eig", eig), ("eigvals", eigvals)) if name in namespace}
