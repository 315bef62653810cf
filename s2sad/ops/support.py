"""The few functions that emitted text may need beside NumPy's: printed where used, read back as ops."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

SUPPORT = {
    "unbroadcast": '''def unbroadcast(g, shape):
    """Return g with `shape`: summed where that is 1, repeated where g is."""
    lead = g.ndim - len(shape)
    axes = tuple(k for k in range(g.ndim) if k < lead or shape[k - lead] == 1 != g.shape[k])
    if axes:
        g = np.sum(g, axis=axes, keepdims=True)
        g = g.reshape(g.shape[max(lead, 0):])
    return np.broadcast_to(g, shape).copy()
''',
    "eig": '''def eig(a):
    """Return eigenvalues and eigenvectors, complex whether they need be or not."""
    w, v = np.linalg.eig(a)
    dtype = np.result_type(w, np.complex64)
    return w.astype(dtype), v.astype(dtype)
''',
    "eigvals": '''def eigvals(a):
    """Return the eigenvalues, complex whether they need be or not."""
    w = np.linalg.eigvals(a)
    return w.astype(np.result_type(w, np.complex64))
''',
    "eigh_upper": '''def eigh_upper(a):
    """Return eigenvalues and eigenvectors of the symmetric matrix that has the upper half of a."""
    w, v = np.linalg.eigh(a, "U")
    return w, v
''',
    "recurrence": '''def recurrence(a, b, axis):
    """Return r with r[k] = a[k] * r[k - 1] + b[k] along the axis."""
    r = np.array(b, dtype=np.result_type(a, b))
    lines, factors = np.moveaxis(r, axis, 0), np.moveaxis(a, axis, 0)
    for k in range(1, lines.shape[0]):
        lines[k] += factors[k] * lines[k - 1]
    return r
''',
    "sparse_times": '''def sparse_times(parts, x, turned):
    """Return A @ x, or A.T @ x, for data, indices, row ends and number of columns of a sparse matrix A."""
    data, indices, ends, columns = parts
    rows = ends.size - 1
    y = np.zeros((columns if turned else rows, x.shape[1]), x.dtype)
    for i in range(rows):
        for p in range(ends[i], ends[i + 1]):
            j = indices[p]
            for k in range(x.shape[1]):
                if turned:
                    y[j, k] += data[p] * x[i, k]
                else:
                    y[i, k] += data[p] * x[j, k]
    return y
''',
    "lu_factored": '''def lu_factored(a):
    """Return what lu_solved takes: compiled, the factors of a square matrix; else the matrix."""
    return np.array(a)
''',
    "lu_solved": '''def lu_solved(factors, b, turned):
    """Return the solution of a @ x = b, or of a.T @ x = b."""
    return np.linalg.solve(factors.T if turned else factors, b)
''',
    "cholesky_adjoint": '''def cholesky_adjoint(factor, g):
    """Return the cotangent of a matrix for the one of its Cholesky factor, all as lower triangles."""
    turned = np.swapaxes(np.tril(factor), -1, -2)
    part = np.tril(turned @ np.tril(g))
    part = part + np.swapaxes(np.tril(part, -1), -1, -2)
    whole = np.linalg.solve(turned, np.swapaxes(np.linalg.solve(turned, part), -1, -2))
    return 0.5 * (np.tril(whole) + np.tril(whole, -1))
''',
    "row_order": '''def row_order(piv):
    """Return the order of rows that exchanging row k with row piv[k], one after the other, leaves."""
    order = np.arange(piv.size)
    for k in range(piv.size):
        j = piv[k]
        order[k], order[j] = order[j], order[k]
    return order
''',
    "declared": '''def declared(found, like):
    """Return what a function from outside has returned; it must have the shape and dtype of like."""
    kind = np.asarray(like)
    array = np.array(found)
    if array.shape != kind.shape or array.dtype != kind.dtype:
        raise TypeError(f"declared was {kind.dtype}{kind.shape}, returned {array.dtype}{array.shape}")
    if isinstance(like, np.ndarray):
        return array
    return array[()] if isinstance(like, np.generic) else array.item()
''',
    "sqrtm": '''def sqrtm(a):
    """Return the principal square root of a real matrix; LinAlgError where it is complex."""
    y = scipy.linalg.sqrtm(a)
    if np.iscomplexobj(y):
        raise np.linalg.LinAlgError("the square root of this real matrix is complex")
    return y.astype(np.result_type(a, np.float32))
''',
}


class _Lazy:
    """SciPy, imported where a support function reads it."""

    def __getattr__(self, name: str) -> Any:
        return importlib.import_module(f"scipy.{name}")


def load(name: str) -> Any:
    """Return a support function to call."""
    names: dict[str, Any] = {"np": np, "scipy": _Lazy()}
    exec(SUPPORT[name], names)
    return names[name]
