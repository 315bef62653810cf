# flags: vjp
# inputs: x = rng.normal(size=4); y = rng.normal(size=4)
import numpy as np


def slices(x, y):
    a = x.copy()
    a[1:] = y[1:] * a[:-1]
    a[:2] += a[2:]
    return np.sum(a * x)
# output
