# flags: vjp
# inputs: u = rng.normal(size=4); steps = 3
import numpy as np


def rollout(u, steps):
    for _ in range(steps):
        u = u + 0.1 * np.sin(u) * u
    return np.sum(u)
# output
# s2sad 0.1  rollout_vjp (loop_carried_array.py:6)
import numpy as np


def rollout_vjp(u, steps, y_bar=1.0):
    """Return rollout(u, steps) and the cotangent of u (loop_carried_array.py:6)."""
    # forward sweep
    t1 = max(steps, 0)
    u_tape = np.empty((t1,) + u.shape)
    u_tape1 = np.empty((t1,) + u.shape)
    for k in range(steps):
        u_tape[k] = u
        t2 = 0.1 * np.sin(u)
        u_tape1[k] = t2
        u = u + t2 * u
    y = np.sum(u)
    # reverse sweep
    u_bar = np.broadcast_to(y_bar, u.shape)  # loop_carried_array.py:7
    for k in range(steps - 1, -1, -1):
        u = u_tape[k]
        u_bar = u_bar + u_tape1[k] * u_bar + np.cos(u) * (0.1 * (u * u_bar))  # loop_carried_array.py:8
    return y, u_bar.copy()
