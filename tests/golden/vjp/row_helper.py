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
