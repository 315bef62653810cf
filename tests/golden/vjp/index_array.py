# flags: vjp --wrt x
# inputs: x = rng.normal(size=4); idx = np.array([1, 3, 1, 0])
import numpy as np


def histogram(x, idx):
    h = np.zeros(5)
    np.add.at(h, idx, x)
    return np.sum(h * h) + np.sum(h[idx] * x)
# output
