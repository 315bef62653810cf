"""The adjoint of Cholesky's factorisation, block by block with products of matrices (Murray, Differentiation
of the Cholesky decomposition, 2016): two thirds of n**3 operations, not four by triangular systems."""

from __future__ import annotations

from typing import Any

import numpy as np

from s2sad.machine.lapack import LAPACK

WIDTH = 32  # of a block of columns


def cholesky_adjoint(factor: Any, g: Any) -> Any:
    """Return the cotangent of a matrix for the one of its Cholesky factor, all as lower triangles."""
    n = factor.shape[0]
    whole = np.empty((n, n))  # twice the result and its transpose, as far as we are
    triangle = np.tri(WIDTH, dtype=bool)
    for low in reversed(range(0, n, WIDTH)):
        here, after = slice(low, low + WIDTH), slice(low + WIDTH, n)
        lower = triangle[: n - low, : n - low]
        d, c = np.where(lower, factor[here, here], 0.0), factor[after, here]
        inverse, is_zero = LAPACK.trtri(d)
        if is_zero:
            raise np.linalg.LinAlgError("Singular matrix")
        turned = inverse.T
        d_bar = g[here, here]
        if c.size:
            below = (g[after, here] - whole[after, after] @ c) @ turned.T
            whole[after, here], whole[here, after] = below, below.T
            d_bar = d_bar - below.T @ c
        part = d.T @ np.where(lower, d_bar, 0.0)
        whole[here, here] = turned @ np.where(lower, part, part.T) @ turned.T
    for low in range(0, n, WIDTH):
        here = slice(low, low + WIDTH)
        whole[here, low + WIDTH :] = 0.0
        whole[here, here] = np.where(triangle[: n - low, : n - low], whole[here, here], 0.0)
    np.einsum("ii->i", whole)[...] *= 0.5
    return whole


FUNCTIONS = {"cholesky_adjoint": cholesky_adjoint}
