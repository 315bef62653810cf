# flags: grad --wrt u0
# inputs: u0 = rng.normal(size=4); steps = 3
import numpy as np


def smooth(u0, steps):
    u = u0.copy()
    for _ in range(steps):
        u[1:-1] = 0.25 * (u[:-2] + 2.0 * u[1:-1] + u[2:])
    return np.sum(u)
# output
