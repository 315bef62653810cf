# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


RATE = 0.3


def decay(x):
    return np.sum(np.exp(-RATE * x))
# output
