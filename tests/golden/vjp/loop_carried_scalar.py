# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


def carried(x):
    s = 1.0
    for i in range(x.shape[0]):
        s = np.tanh(s * x[i]) + x[i]
    return s
# output
