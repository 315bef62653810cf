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
# s2sad 0.1  wave_vjp (swapped_buffers.py:6)
import numpy as np


def wave_vjp(u0, steps, y_bar=1.0):
    """Return wave(u0, steps) and the cotangent of u0 (swapped_buffers.py:6)."""
    # forward sweep
    u = u0.copy()
    v = np.zeros_like(u0)
    v_tape = np.empty((max(steps, 0), max(u0.shape[0] - 2, 0)))
    for k in range(steps):
        v_tape[k] = u[1:-1]
        v[1:-1] = u[1:-1] * u[1:-1] + 0.3 * (u[2:] - u[:-2])
        u, v = v, u
    y = np.sum(u * u)
    # reverse sweep
    u_bar = 2.0 * u * y_bar  # swapped_buffers.py:12
    v_bar = np.zeros_like(u0)
    for k in range(steps - 1, -1, -1):
        t1 = 0.3 * u_bar[1:-1]  # swapped_buffers.py:10
        v_bar[:-2] -= t1  # swapped_buffers.py:10
        v_bar[2:] += t1  # swapped_buffers.py:10
        v_bar[1:-1] += 2.0 * v_tape[k] * u_bar[1:-1]  # swapped_buffers.py:10
        u_bar[1:-1] = 0.0  # swapped_buffers.py:10
        u_bar, v_bar = v_bar, u_bar
    return y, u_bar
