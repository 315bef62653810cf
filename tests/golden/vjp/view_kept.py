# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


def kept(x):
    a = x.copy()
    tail = a[1:]
    a[2] = a[0] * a[1]
    s = np.sum(tail * tail)
    tail[0] = s
    return np.sum(a) * s
# output
