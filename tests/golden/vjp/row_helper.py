# flags: vjp
# inputs: m = rng.normal(size=(3, 3)); c = 0.7
import numpy as np


def scale_row(row, c):
    for j in range(row.shape[0]):
        row[j] = row[j] * c + row[j - 1] * row[j]


def rows(m, c):
    a = m.copy()
    for i in range(a.shape[0]):
        scale_row(a[i], c)
    return np.sum(a * a)
# output
# s2sad 0.1  rows_vjp (row_helper.py:11)
import numpy as np


def rows_vjp(m, c, y_bar=1.0):
    """Return rows(m, c) and the cotangents of m and c (row_helper.py:11)."""
    # forward sweep
    a = m.copy()
    a_tape = np.empty((a.shape[0], m.shape[1]))
    a_tape1 = np.empty((a.shape[0], m.shape[1]))
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            a_tape[i, j] = a[i, j]
            t1 = a[i, j - 1]
            a_tape1[i, j] = t1
            a[i, j] = a[i, j] * c + t1 * a[i, j]
    y = np.sum(a * a)
    # reverse sweep
    a_bar = 2.0 * a * y_bar  # row_helper.py:15
    c_bar = 0.0  # row_helper.py:13
    for i in range(a.shape[0] - 1, -1, -1):
        for j in range(m.shape[1] - 1, -1, -1):
            t2 = a_tape[i, j] * a_bar[i, j]  # row_helper.py:8
            c_bar += t2  # row_helper.py:8
            a_bar[i, j] = a_tape1[i, j] * a_bar[i, j] + c * a_bar[i, j]  # row_helper.py:8
            a_bar[i, j - 1] += t2  # row_helper.py:8
    return y, (a_bar, float(c_bar))
