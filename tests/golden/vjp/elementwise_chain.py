# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


def chain(x):
    a = np.sin(x) * x
    b = np.exp(a) / (1.0 + x * x)
    return np.sum(b * a)
# output
