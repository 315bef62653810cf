# flags: vjp
# inputs: x = 0.7
import numpy as np


def reassigned(x):
    x = x * x
    y = np.sin(x)
    x = y * x + y
    return x * y
# output
# s2sad 0.1  reassigned_vjp (reassigned_name.py:6)
import numpy as np


def reassigned_vjp(x, y_bar=1.0):
    """Return reassigned(x) and the cotangent of x (reassigned_name.py:6)."""
    # forward sweep
    x1 = x * x
    y = np.sin(x1)
    x2 = y * x1 + y
    # reverse sweep
    x_bar = y * y_bar  # reassigned_name.py:10
    y_bar = x2 * y_bar + x_bar + x1 * x_bar  # reassigned_name.py:9
    x_bar = y * x_bar + np.cos(x1) * y_bar  # reassigned_name.py:8
    return x2 * y, float(2.0 * x * x_bar)
