# flags: jvp
# inputs: x = rng.normal(size=4); y = rng.normal(size=4)
import numpy as np


def slices(x, y):
    a = x.copy()
    a[1:] = y[1:] * a[:-1]
    a[0] = 3.0
    return np.sum(a * x)
# output
# s2sad 0.1  slices_jvp (in_place.py:6)
import numpy as np


def slices_jvp(x, y, x_dot, y_dot):
    """Return slices(x, y) and the tangent (in_place.py:6)."""
    if y.shape[0] != x.shape[0]:
        raise ValueError("in_place.py:8: y.shape[0] must equal x.shape[0]")
    a = x.copy()
    a_dot = x_dot.copy()  # in_place.py:7
    a_dot[1:] = a[:-1] * y_dot[1:] + y[1:] * a_dot[:-1]  # in_place.py:8
    a[1:] = y[1:] * a[:-1]
    a[0] = 3.0
    a_dot[0] = 0.0  # in_place.py:9
    return np.sum(a * x), np.sum(x * a_dot + a * x_dot)
