# flags: vjp
# inputs: x = rng.normal(size=4); y = rng.normal(size=4)
import numpy as np


def ignores(x, y):
    return np.sum(y * y)
# output
# s2sad 0.1  ignores_vjp (unused_argument.py:6)
import numpy as np


def ignores_vjp(x, y, y_bar=1.0):
    """Return ignores(x, y) and the cotangents of x and y (unused_argument.py:6)."""
    return np.sum(y * y), (np.zeros_like(x), 2.0 * y * y_bar)
