# flags: vjp --wrt u
# inputs: u = rng.normal(size=(5, 5)); c = 0.2
import numpy as np


def diffuse(u, c):
    v = u.copy()
    v[1:-1, 1:-1] += c * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4.0 * u[1:-1, 1:-1])
    return np.sum(v * v)
# output
