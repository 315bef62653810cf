# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


def largest(x):
    return np.max(x) * np.sum(x)
# output
# s2sad 0.1  largest_vjp (max_reduction.py:6)
import numpy as np


def largest_vjp(x, y_bar=1.0):
    """Return largest(x) and the cotangent of x (max_reduction.py:6)."""
    # forward sweep
    t1 = np.max(x)
    t2 = np.sum(x)
    # reverse sweep
    t3 = (x == t1).astype(np.float64)  # max_reduction.py:7
    x_bar = t1 * y_bar + t3 / np.sum(t3, keepdims=True) * (t2 * y_bar)  # max_reduction.py:7
    return t1 * t2, x_bar
