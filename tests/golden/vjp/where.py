# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


def guarded(x):
    y = np.where(x > 0.0, x * np.log(np.abs(x)), np.exp(x))
    return np.sum(y)
# output
# s2sad 0.1  guarded_vjp (where.py:6)
import numpy as np


def guarded_vjp(x, y_bar=1.0):
    """Return guarded(x) and the cotangent of x (where.py:6)."""
    # forward sweep
    t1 = x > 0.0
    t2 = np.abs(x)
    t3 = np.log(t2)
    t4 = np.exp(x)
    y = np.where(t1, x * t3, t4)
    # reverse sweep
    t5 = np.logical_not(t1)  # where.py:7
    x_bar = t4 * y_bar  # where.py:7
    t6 = np.where(t5, x_bar, 0.0) + np.where(t1, t3 * y_bar, 0.0)  # where.py:7
    x_bar = t6 + np.where(t1, np.sign(x) * (x * y_bar / t2), 0.0)  # where.py:7
    return np.sum(y), np.where(t5 | t1 | t1, x_bar, 0.0)
