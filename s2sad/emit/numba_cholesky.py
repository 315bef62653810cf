"""The adjoint of Cholesky's factorisation, block by block with products of matrices (Murray, Differentiation
of the Cholesky decomposition, 2016): two thirds of n**3 multiplications, not four by triangular systems."""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.emit.numba_library import blas, compiled

DGEMM, DTRSM = blas("dgemm", 13), blas("dtrsm", 11)
WIDTH = 32  # of a block of columns


@compiled
def _block(d: Any, g: Any, width: int) -> None:
    """Put the adjoint of the factorisation of a block in the place of the cotangent of its factor."""
    for k in range(width - 1, -1, -1):
        total = g[k, k]
        for i in range(k + 1, width):
            g[i, k] /= d[k, k]
            total -= d[i, k] * g[i, k]
        total /= d[k, k]
        for j in range(k):
            g[k, j] -= total * d[k, j]
        for i in range(k + 1, width):
            x = g[i, k]
            for j in range(k):
                g[k, j] -= x * d[i, j]
                g[i, j] -= x * d[k, j]
        g[k, k] = 0.5 * total


@compiled
def cholesky_adjoint(factor: Any, g: Any) -> Any:
    """Return the cotangent of a matrix for the one of its Cholesky factor, all as lower triangles."""
    n = factor.shape[0]
    bar = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            bar[i, j] = g[i, j]
    d, s, t = np.empty((WIDTH, WIDTH)), np.empty((WIDTH, WIDTH)), np.empty((WIDTH, WIDTH))
    # BLAS reads columns: of our rows it sees the transpose
    side, no, yes = (
        np.array([76], np.uint8),
        np.array([78], np.uint8),
        np.array([84], np.uint8),
    )  # "L" "N" "T"
    half = np.array([85], np.uint8)  # "U"
    one, minus, nothing = np.array([1.0]), np.array([-1.0]), np.array([0.0])
    lead, small = np.array([n], np.int32), np.array([WIDTH], np.int32)
    width, left, below = np.zeros(1, np.int32), np.zeros(1, np.int32), np.zeros(1, np.int32)
    high = n
    while high > 0:
        low = max(high - WIDTH, 0)
        width[0], left[0], below[0] = high - low, low, n - high
        for i in range(high - low):
            for j in range(high - low):
                d[i, j] = factor[low + i, low + j]
                s[i, j] = 0.0
        r, r_bar = factor[low:, :], bar[low:, :]
        if high < n:
            b, c, b_bar, c_bar = factor[high:, :], factor[high:, low:], bar[high:, :], bar[high:, low:]
            DTRSM(
                side.ctypes, half.ctypes, no.ctypes, no.ctypes, width.ctypes, below.ctypes, one.ctypes,
                d.ctypes, small.ctypes, c_bar.ctypes, lead.ctypes,
            )  # fmt: skip
            DGEMM(
                no.ctypes, yes.ctypes, width.ctypes, width.ctypes, below.ctypes, one.ctypes, c.ctypes,
                lead.ctypes, c_bar.ctypes, lead.ctypes, nothing.ctypes, s.ctypes, small.ctypes,
            )  # fmt: skip
            if low:
                DGEMM(
                    no.ctypes, no.ctypes, left.ctypes, below.ctypes, width.ctypes, minus.ctypes, r.ctypes,
                    lead.ctypes, c_bar.ctypes, lead.ctypes, one.ctypes, b_bar.ctypes, lead.ctypes,
                )  # fmt: skip
                DGEMM(
                    no.ctypes, yes.ctypes, left.ctypes, width.ctypes, below.ctypes, minus.ctypes, b.ctypes,
                    lead.ctypes, c_bar.ctypes, lead.ctypes, one.ctypes, r_bar.ctypes, lead.ctypes,
                )  # fmt: skip
        for i in range(high - low):
            for j in range(i + 1):
                s[i, j] = bar[low + i, low + j] - s[i, j]
        _block(d, s, high - low)
        for i in range(high - low):
            for j in range(i + 1):
                bar[low + i, low + j] = s[i, j]
                t[i, j], t[j, i] = s[i, j], s[i, j]
            t[i, i] = 2.0 * s[i, i]
        if low:
            DGEMM(
                no.ctypes, no.ctypes, left.ctypes, width.ctypes, width.ctypes, minus.ctypes, r.ctypes,
                lead.ctypes, t.ctypes, small.ctypes, one.ctypes, r_bar.ctypes, lead.ctypes,
            )  # fmt: skip
        high = low
    return bar
