# flags: vjp
# inputs: x = 1.7; y = 0.6
import numpy as np


def power(x, y):
    return x**y * x**3
# output
# s2sad 0.1  power_vjp (power.py:6)
import numpy as np


def power_vjp(x, y, y_bar=1.0):
    """Return power(x, y) and the cotangents of x and y (power.py:6)."""
    # forward sweep
    t1 = x ** y
    t2 = x ** 3
    # reverse sweep
    t3 = t2 * y_bar  # power.py:7
    x_bar = 3 * x ** 2 * (t1 * y_bar) + y * x ** float(0 if y == 0 else y - 1) * t3  # power.py:7
    y_bar = t1 * np.log(x + (x == 0)) * t3  # power.py:7
    return t1 * t2, (x_bar, float(y_bar))
