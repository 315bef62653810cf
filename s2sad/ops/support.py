"""The few functions that emitted text may need beside NumPy's: printed where used, read back as ops."""

from __future__ import annotations

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
    "recurrence": '''def recurrence(a, b, axis):
    """Return r with r[k] = a[k] * r[k - 1] + b[k] along the axis."""
    r = np.array(b, dtype=np.result_type(a, b))
    lines, factors = np.moveaxis(r, axis, 0), np.moveaxis(a, axis, 0)
    for k in range(1, lines.shape[0]):
        lines[k] += factors[k] * lines[k - 1]
    return r
''',
}


def load(name: str) -> Any:
    """Return a support function to call."""
    names: dict[str, Any] = {"np": np}
    exec(SUPPORT[name], names)
    return names[name]
