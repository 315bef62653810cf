# flags: vjp
# inputs: x = 0.4; y = 1.3
import numpy as np


def polar(x, y):
    r = np.sqrt(x * x + y * y)
    return r, np.arctan2(y, x)
# output
# s2sad 0.1  polar_vjp (two_results.py:6)
import numpy as np


def polar_vjp(x, y, y_bar):
    """Return polar(x, y) and the cotangents of x and y (two_results.py:6)."""
    # forward sweep
    r = np.sqrt(x * x + y * y)
    # reverse sweep
    t1 = np.hypot(y, x)  # two_results.py:8
    y_bar_ = x / t1 / t1 * y_bar[1]  # two_results.py:8
    r_bar = 0.5 * y_bar[0] / r  # two_results.py:7
    x_bar = 2.0 * x * r_bar - y / t1 / t1 * y_bar[1]  # two_results.py:7
    return (r, np.arctan2(y, x)), (float(x_bar), float(y_bar_ + 2.0 * y * r_bar))
