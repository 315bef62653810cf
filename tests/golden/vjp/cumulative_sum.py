# flags: vjp
# inputs: x = rng.normal(size=4); w = rng.normal(size=4)
import numpy as np


def path(x, w):
    return np.sum(np.cumsum(x) * w)
# output
