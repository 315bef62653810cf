# flags: grad --wrt w
# inputs: w = rng.normal(size=3); x = rng.normal(size=(6, 3)); y = rng.normal(size=6)
import numpy as np


def loss(w, x, y):
    r = x @ w - y
    return 0.5 * np.sum(r * r)
# output
