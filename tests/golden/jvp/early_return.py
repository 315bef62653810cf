# flags: jvp --wrt x
# inputs: x = rng.normal(size=4); limit = 0.8
import numpy as np


def early(x, limit):
    s = 1.0
    for i in range(x.shape[0]):
        s = s * x[i]
        if s > limit:
            return s * s
    return s + np.sin(x[0])
# output
