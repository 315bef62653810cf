# flags: grad --wrt u0
# inputs: u0 = rng.normal(size=4); steps = 3
import numpy as np


def smooth(u0, steps):
    u = u0.copy()
    for _ in range(steps):
        u[1:-1] = 0.25 * (u[:-2] + 2.0 * u[1:-1] + u[2:])
    return np.sum(u)
# output
# s2sad 0.1  smooth_grad (linear_loop.py:6)
import numpy as np


def smooth_grad(u0, steps):
    """Return the gradient of smooth in u0 (linear_loop.py:6)."""
    u_bar = np.full_like(u0, 1.0)  # linear_loop.py:8
    for _ in range(steps - 1, -1, -1):
        u_bar1 = 0.25 * u_bar[1:-1]  # linear_loop.py:9
        u_bar[1:-1] = 2.0 * u_bar1  # linear_loop.py:9
        u_bar[2:] += u_bar1  # linear_loop.py:9
        u_bar[:-2] += u_bar1  # linear_loop.py:9
    return u_bar
