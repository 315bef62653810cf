# flags: vjp
# inputs: a = rng.normal(size=(3, 4)); x = rng.normal(size=4)
import numpy as np


def bilinear(a, x):
    s = 0.0
    for i in range(a.shape[0]):
        r = 0.0
        for j in range(a.shape[1]):
            r += a[i, j] * x[j]
        s += r * r
    return s
# output
