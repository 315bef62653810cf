# flags: vjp
# inputs: x = rng.normal(size=4); c = 0.7
import numpy as np


def scaled(x, c):
    y = np.empty_like(x)
    for i in range(x.shape[0]):
        y[i] = c * x[i] * x[i]
    return y
# output
