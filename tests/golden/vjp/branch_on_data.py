# flags: vjp
# inputs: x = 0.7; y = -0.4
import numpy as np


def branch(x, y):
    if x > y:
        z = x * x * y
    else:
        z = np.sin(y)
    return z * x
# output
# s2sad 0.1  branch_vjp (branch_on_data.py:6)
import numpy as np


def branch_vjp(x, y, y_bar=1.0):
    """Return branch(x, y) and the cotangents of x and y (branch_on_data.py:6)."""
    # forward sweep
    t1 = x > y
    if t1:
        t2 = x * x
        z = t2 * y
    else:
        z = np.sin(y)
    result = z * x
    # reverse sweep
    z_bar = x * y_bar  # branch_on_data.py:11
    x_bar = z * y_bar  # branch_on_data.py:11
    if t1:
        y_bar = t2 * z_bar  # branch_on_data.py:8
        x_bar += 2.0 * x * (y * z_bar)  # branch_on_data.py:8
    else:
        y_bar = np.cos(y) * z_bar  # branch_on_data.py:10
    return result, (float(x_bar), float(y_bar))
