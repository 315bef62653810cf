# flags: vjp
# inputs: x = rng.normal(size=4); y = rng.normal(size=4)
import numpy as np


def joined(x, y):
    z = np.concatenate((x * y, y[1:]))
    s = np.stack((x, y))
    return np.sum(z * z) + np.sum(s[0] * s[1])
# output
