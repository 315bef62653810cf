# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


def largest(x):
    return np.max(x) * np.sum(x)
# output
