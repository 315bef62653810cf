# flags: vjp
# inputs: m = rng.normal(size=(3, 4)); row = rng.normal(size=4); column = rng.normal(size=(3, 1)); c = 0.3
import numpy as np


def affine(m, row, column, c):
    scaled = m * row
    shifted = scaled + column
    square = shifted**2
    total = np.sum(square)
    return total * c
# output
# s2sad 0.1  affine_vjp (broadcast.py:6)
import numpy as np


def affine_vjp(m, row, column, c, y_bar=1.0):
    """Return affine(m, row, column, c) and the cotangents of m, row, column and c (broadcast.py:6)."""
    if row.shape[0] != m.shape[1]:
        raise ValueError("broadcast.py:7: row.shape[0] must equal m.shape[1]")
    if m.shape[0] != column.shape[0]:
        raise ValueError("broadcast.py:8: m.shape[0] must equal column.shape[0]")
    if column.shape[1] != 1:
        raise ValueError("broadcast.py:8: column.shape[1] must equal 1")
    # forward sweep
    scaled = m * row
    shifted = scaled + column
    square = shifted ** 2
    total = np.sum(square)
    # reverse sweep
    total_bar = c * y_bar  # broadcast.py:11
    shifted_bar = 2 * shifted * total_bar  # broadcast.py:9
    t1 = np.sum(shifted_bar, axis=1, keepdims=True)  # broadcast.py:8
    return total * c, (row * shifted_bar, np.sum(m * shifted_bar, axis=0), t1, float(total * y_bar))
