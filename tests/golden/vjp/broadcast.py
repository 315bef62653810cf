# flags: vjp
# inputs: m = rng.normal(size=(3, 4)); row = rng.normal(size=4); column = rng.normal(size=(3, 1)); c = 0.3
import numpy as np


def affine(m, row, column, c):
    return np.sum((m * row + column) ** 2) * c
# output
