# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


def carried(x):
    s = 1.0
    for i in range(x.shape[0]):
        s = np.tanh(s * x[i]) + x[i]
    return s
# output
# s2sad 0.1  carried_vjp (loop_carried_scalar.py:6)
import numpy as np


def carried_vjp(x, y_bar=1.0):
    """Return carried(x) and the cotangent of x (loop_carried_scalar.py:6)."""
    # forward sweep
    s_tape = np.empty(x.shape[0])
    s_tape1 = np.empty(x.shape[0])
    s = 1.0
    for i in range(x.shape[0]):
        s_tape[i] = s
        t1 = np.tanh(s * x[i])
        s_tape1[i] = t1
        s = t1 + x[i]
    # reverse sweep
    x_bar = np.zeros_like(x)
    s_bar = y_bar
    for i in range(x.shape[0] - 1, -1, -1):
        t2 = (1.0 - s_tape1[i] * s_tape1[i]) * s_bar  # loop_carried_scalar.py:9
        x_bar[i] += s_bar + s_tape[i] * t2  # loop_carried_scalar.py:9
        s_bar = x[i] * t2  # loop_carried_scalar.py:9
    return s, x_bar
