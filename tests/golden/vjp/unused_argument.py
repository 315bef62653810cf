# flags: vjp
# inputs: x = rng.normal(size=4); y = rng.normal(size=4)
import numpy as np


def ignores(x, y):
    return np.sum(y * y)
# output
