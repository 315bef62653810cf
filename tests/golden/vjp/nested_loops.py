# flags: vjp
# inputs: a = rng.normal(size=(3, 4)); x = rng.normal(size=4)
import numpy as np


def bilinear(a, x):
    s = 0.0
    for i in range(a.shape[0]):
        r = 0.0
        for j in range(a.shape[1]):
            r += a[i, j] * x[j]
        s += r * r
    return s
# output
# s2sad 0.1  bilinear_vjp (nested_loops.py:6)
import numpy as np


def bilinear_vjp(a, x, y_bar=1.0):
    """Return bilinear(a, x) and the cotangents of a and x (nested_loops.py:6)."""
    # forward sweep
    r_tape = np.empty(a.shape[0])
    s = 0.0
    for i in range(a.shape[0]):
        r = 0.0
        for j in range(a.shape[1]):
            r += a[i, j] * x[j]
        r_tape[i] = r
        s += r * r
    # reverse sweep
    a_bar = np.zeros_like(a)
    x_bar = np.zeros_like(x)
    for i in range(a.shape[0] - 1, -1, -1):
        r = r_tape[i]
        r_bar = 2.0 * r * y_bar  # nested_loops.py:12
        for j in range(a.shape[1] - 1, -1, -1):
            x_bar[j] += a[i, j] * r_bar  # nested_loops.py:11
            a_bar[i, j] += x[j] * r_bar  # nested_loops.py:11
    return s, (a_bar, x_bar)
