# flags: vjp --wrt x
# inputs: x = rng.normal(size=4); limit = 0.5
import numpy as np


def stops(x, limit):
    s = 0.0
    for i in range(x.shape[0]):
        t = np.exp(x[i]) * x[i]
        s += t * t
        if s > limit:
            break
    return s
# output
