# flags: vjp --wrt u0
# inputs: u0 = 1.0 + 0.3 * rng.normal(size=6); steps = 3; dt = 0.01; dx = 0.1
import numpy as np


def burgers(u0, steps, dt, dx):
    u = u0.copy()
    for t in range(steps):
        u[1:-1] = u[1:-1] - dt / dx * u[1:-1] * (u[1:-1] - u[:-2])
    return np.sum(u * u)
# output
