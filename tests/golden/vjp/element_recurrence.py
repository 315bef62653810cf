# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


def recurrence(x):
    y = np.zeros(x.shape[0])
    y[0] = x[0]
    for i in range(1, x.shape[0]):
        y[i] = np.sin(y[i - 1]) * x[i]
    return np.sum(y * y)
# output
