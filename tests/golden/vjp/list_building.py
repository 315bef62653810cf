# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


def listed(x):
    ys = []
    for v in x:
        ys.append(v * v)
    return np.sum(np.array(ys) * x)
# output
