# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


def positives(x):
    s = 0.0
    for i in range(x.shape[0]):
        if x[i] < 0.0:
            continue
        s += x[i] ** 3
    return s
# output
