# flags: vjp
# inputs: x = 1.7; y = 0.6
import numpy as np


def power(x, y):
    a = x**y
    b = x**3
    return a * b
# output
# s2sad 0.1  power_vjp (power.py:6)
import numpy as np


def power_vjp(x, y, y_bar=1.0):
    """Return power(x, y) and the cotangents of x and y (power.py:6)."""
    # forward sweep
    a = x ** y
    b = x ** 3
    # reverse sweep
    a_bar = b * y_bar  # power.py:9
    b_bar = a * y_bar  # power.py:9
    x_bar = 3 * x ** 2 * b_bar  # power.py:8
    x_bar += y * x ** float(0.0 if y == 0 else y - 1) * a_bar  # power.py:7
    y_bar = a * np.log(x + (x == 0)) * a_bar  # power.py:7
    return a * b, (x_bar, float(y_bar))
