# flags: vjp
# inputs: x = rng.normal(size=4); y = rng.normal(size=4)
import numpy as np


def augmented(x, y):
    a = x * 2.0
    a += y
    a *= y
    a[0] -= x[1]
    return np.sum(a * a)
# output
