# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


def guarded(x):
    y = np.where(x > 0.0, x * np.log(np.abs(x)), np.exp(x))
    return np.sum(y)
# output
