# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


def clipped(x):
    a = x * x
    a[x < 0.0] = 0.0
    a[x > 0.5] *= 2.0
    return np.sum(a)
# output
