# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


def positives(x):
    s = 0.0
    for i in range(x.shape[0]):
        if x[i] < 0.0:
            continue
        s += x[i] ** 3
    return s
# output
# s2sad 0.1  positives_vjp (continue_in_loop.py:6)
import numpy as np


def positives_vjp(x, y_bar=1.0):
    """Return positives(x) and the cotangent of x (continue_in_loop.py:6)."""
    # forward sweep
    s = 0.0
    for i in range(x.shape[0]):
        if not x[i] < 0.0:
            s += x[i] ** 3
    # reverse sweep
    x_bar = np.zeros_like(x)
    for i in range(x.shape[0] - 1, -1, -1):
        if not x[i] < 0.0:
            x_bar[i] += 3 * x[i] ** 2 * y_bar  # continue_in_loop.py:9
    return s, x_bar
