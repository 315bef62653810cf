# flags: jvp --wrt x
# inputs: x = rng.normal(size=4); limit = 0.5
import numpy as np


def stops(x, limit):
    s = 0.0
    for i in range(x.shape[0]):
        s += np.exp(x[i]) * x[i]
        if s > limit:
            break
    return s
# output
