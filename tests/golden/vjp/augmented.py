# flags: vjp
# inputs: x = rng.normal(size=4); y = rng.normal(size=4)
import numpy as np


def augmented(x, y):
    a = x * 2.0
    a += y
    a *= y
    a[0] -= x[1]
    return np.sum(a * a)
# output
# s2sad 0.1  augmented_vjp (augmented.py:6)
import numpy as np


def augmented_vjp(x, y, y_bar=1.0):
    """Return augmented(x, y) and the cotangents of x and y (augmented.py:6)."""
    if y.shape[0] != x.shape[0]:
        raise ValueError("augmented.py:8: y.shape[0] must equal x.shape[0]")
    # forward sweep
    a = x * 2.0
    a += y
    a1 = a * y
    a1[0] -= x[1]
    # reverse sweep
    a_bar = 2.0 * a1 * y_bar  # augmented.py:11
    x_bar = np.zeros_like(x)
    x_bar[1] = -a_bar[0]  # augmented.py:10
    t1 = y * a_bar  # augmented.py:9
    x_bar += 2.0 * t1  # augmented.py:7
    return np.sum(a1 * a1), (x_bar, a * a_bar + t1)
