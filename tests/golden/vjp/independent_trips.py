# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


def squares(x):
    y = np.empty_like(x)
    for i in range(x.shape[0]):
        y[i] = x[i] * np.exp(x[i])
    return np.sum(y)
# output
