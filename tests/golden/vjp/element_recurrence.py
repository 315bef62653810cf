# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


def recurrence(x):
    y = np.zeros(x.shape[0])
    y[0] = x[0]
    for i in range(1, x.shape[0]):
        y[i] = np.sin(y[i - 1]) * x[i]
    return np.sum(y * y)
# output
# s2sad 0.1  recurrence_vjp (element_recurrence.py:6)
import numpy as np


def recurrence_vjp(x, y_bar=1.0):
    """Return recurrence(x) and the cotangent of x (element_recurrence.py:6)."""
    # forward sweep
    y = np.zeros(x.shape[0])
    y[0] = x[0]
    y_tape = np.empty(max(x.shape[0] - 1, 0))
    for i in range(1, x.shape[0]):
        t1 = np.sin(y[i - 1])
        y_tape[i - 1] = t1
        y[i] = t1 * x[i]
    result = np.sum(y * y)
    # reverse sweep
    x_bar = np.zeros_like(x)
    y_bar1 = 2.0 * y * y_bar  # element_recurrence.py:11
    for i in range(x.shape[0] - 1, 0, -1):
        t2 = y_bar1[i]  # element_recurrence.py:10
        x_bar[i] += y_tape[i - 1] * t2  # element_recurrence.py:10
        y_bar1[i] = 0.0  # element_recurrence.py:10
        y_bar1[i - 1] += np.cos(y[i - 1]) * (x[i] * t2)  # element_recurrence.py:10
    x_bar[0] += y_bar1[0]  # element_recurrence.py:8
    return result, x_bar
