# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


def squares(x):
    y = np.empty_like(x)
    for i in range(x.shape[0]):
        y[i] = x[i] * np.exp(x[i])
    return np.sum(y)
# output
# s2sad 0.1  squares_vjp (independent_trips.py:6)
import numpy as np


def squares_vjp(x, y_bar=1.0):
    """Return squares(x) and the cotangent of x (independent_trips.py:6)."""
    # forward sweep
    y = np.empty_like(x)
    y_tape = np.empty(x.shape[0])
    for i in range(x.shape[0]):
        t1 = np.exp(x[i])
        y_tape[i] = t1
        y[i] = x[i] * t1
    result = np.sum(y)
    # reverse sweep
    x_bar = np.zeros_like(x)
    y_bar1 = np.full_like(y, y_bar)  # independent_trips.py:8
    for i in range(x.shape[0] - 1, -1, -1):
        x_bar[i] += y_tape[i] * y_bar1[i] + y_tape[i] * (x[i] * y_bar1[i])  # independent_trips.py:9
        y_bar1[i] = 0.0  # independent_trips.py:9
    return result, x_bar
