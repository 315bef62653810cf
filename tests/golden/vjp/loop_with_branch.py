# flags: vjp --wrt w
# inputs: w = rng.normal(size=4); x = rng.normal(size=4)
import numpy as np


def loss(w, x):
    total = 0.0
    for i in range(x.shape[0]):
        t = x[i] * w[i]
        if t > 0.0:
            total += t * t
    return total
# output
