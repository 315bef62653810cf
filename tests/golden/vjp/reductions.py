# flags: vjp
# inputs: m = rng.normal(size=(3, 4))
import numpy as np


def moments(m):
    mean = np.mean(m, axis=0)
    spread = np.sum((m - mean) ** 2, axis=0)
    return np.sum(spread) + np.prod(mean)
# output
