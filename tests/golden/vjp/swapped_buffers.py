# flags: vjp --wrt u0
# inputs: u0 = rng.normal(size=4); steps = 3
import numpy as np


def wave(u0, steps):
    u = u0.copy()
    v = np.zeros_like(u0)
    for _ in range(steps):
        v[1:-1] = u[1:-1] * u[1:-1] + 0.3 * (u[2:] - u[:-2])
        u, v = v, u
    return np.sum(u * u)
# output
