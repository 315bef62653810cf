# flags: vjp
# inputs: x = rng.normal(size=4); c = 0.7
import numpy as np


def scaled(x, c):
    y = np.empty_like(x)
    for i in range(x.shape[0]):
        y[i] = c * x[i] * x[i]
    return y
# output
# s2sad 0.1  scaled_vjp (array_result.py:6)
import numpy as np


def scaled_vjp(x, c, y_bar):
    """Return scaled(x, c) and the cotangents of x and c (array_result.py:6)."""
    # forward sweep
    y = np.empty_like(x)
    for i in range(x.shape[0]):
        y[i] = c * x[i] * x[i]
    # reverse sweep
    x_bar = np.zeros_like(x)
    y_bar = y_bar.copy()  # array_result.py:8
    c_bar = 0.0  # array_result.py:8
    for i in range(x.shape[0] - 1, -1, -1):
        t1 = x[i] * y_bar[i]  # array_result.py:9
        c_bar += x[i] * t1  # array_result.py:9
        x_bar[i] += c * x[i] * y_bar[i] + c * t1  # array_result.py:9
        y_bar[i] = 0.0  # array_result.py:9
    return y, (x_bar, float(c_bar))
