# flags: vjp --wrt u0
# inputs: u0 = 1.0 + 0.3 * rng.normal(size=6); steps = 3; dt = 0.01; dx = 0.1
import numpy as np


def burgers(u0, steps, dt, dx):
    u = u0.copy()
    for t in range(steps):
        u[1:-1] = u[1:-1] - dt / dx * u[1:-1] * (u[1:-1] - u[:-2])
    return np.sum(u * u)
# output
# s2sad 0.1  burgers_vjp (burgers.py:6)
import numpy as np


def burgers_vjp(u0, steps, dt, dx, y_bar=1.0):
    """Return burgers(u0, steps, dt, dx) and the cotangent of u0 (burgers.py:6)."""
    # forward sweep
    u = u0.copy()
    u_tape = np.empty((max(steps, 0),) + u0.shape)
    for t in range(steps):
        u_tape[t] = u
        u[1:-1] = u[1:-1] - dt / dx * u[1:-1] * (u[1:-1] - u[:-2])
    y = np.sum(u * u)
    # reverse sweep
    u_bar = 2.0 * u * y_bar  # burgers.py:10
    for t in range(steps - 1, -1, -1):
        u = u_tape[t]
        t1 = dt / dx  # recomputed: burgers.py:9
        t2 = t1 * u[1:-1] * u_bar[1:-1]  # burgers.py:9
        u_bar[1:-1] -= t2 + t1 * ((u[1:-1] - u[:-2]) * u_bar[1:-1])  # burgers.py:9
        u_bar[:-2] += t2  # burgers.py:9
    return y, u_bar
