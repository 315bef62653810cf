# flags: vjp
# inputs: u = rng.normal(size=4); steps = 3
import numpy as np


def rollout(u, steps):
    for _ in range(steps):
        u = u + 0.1 * np.sin(u) * u
    return np.sum(u)
# output
