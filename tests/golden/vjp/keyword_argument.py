# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


def shifted(x, scale=2.0, *, shift=0.5):
    return np.sum(np.tanh(scale * x + shift))
# output
