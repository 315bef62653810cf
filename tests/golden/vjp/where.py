# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


def guarded(x):
    inside = x > 0.0
    y = np.where(inside, x * np.log(np.abs(x)), np.exp(x))
    total = np.sum(y)
    return total
# output
# s2sad 0.1  guarded_vjp (where.py:6)
import numpy as np


def guarded_vjp(x, y_bar=1.0):
    """Return guarded(x) and the cotangent of x (where.py:6)."""
    # forward sweep
    inside = x > 0.0
    t1 = np.abs(x)
    t2 = np.log(t1)
    t3 = np.exp(x)
    y = np.where(inside, x * t2, t3)
    total = np.sum(y)
    # reverse sweep
    x_bar = t3 * y_bar  # where.py:8
    t4 = np.where(inside, np.sign(x) * (x * y_bar / t1), 0.0)  # where.py:8
    x_bar = np.where(inside, t2 * y_bar, x_bar) + t4  # where.py:8
    return total, x_bar
