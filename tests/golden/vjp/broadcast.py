# flags: vjp
# inputs: m = rng.normal(size=(3, 4)); row = rng.normal(size=4); column = rng.normal(size=(3, 1)); c = 0.3
import numpy as np


def affine(m, row, column, c):
    return np.sum((m * row + column) ** 2) * c
# output
# s2sad 0.1  affine_vjp (broadcast.py:6)
import numpy as np


def affine_vjp(m, row, column, c, y_bar=1.0):
    """Return affine(m, row, column, c) and the cotangents of m, row, column and c (broadcast.py:6)."""
    if row.shape[0] != m.shape[1]:
        raise ValueError("broadcast.py:7: row.shape[0] must equal m.shape[1]")
    if m.shape[0] != column.shape[0]:
        raise ValueError("broadcast.py:7: m.shape[0] must equal column.shape[0]")
    if column.shape[1] != 1:
        raise ValueError("broadcast.py:7: column.shape[1] must equal 1")
    # forward sweep
    t1 = m * row + column
    t2 = np.sum(t1 ** 2)
    # reverse sweep
    t3 = 2 * t1 * (c * y_bar)  # broadcast.py:7
    t4 = np.sum(t3, axis=1, keepdims=True)  # broadcast.py:7
    return t2 * c, (row * t3, np.sum(m * t3, axis=0), t4, float(t2 * y_bar))
