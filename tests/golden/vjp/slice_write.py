# flags: vjp
# inputs: x = rng.normal(size=4); y = rng.normal(size=4)
import numpy as np


def slices(x, y):
    a = x.copy()
    a[1:] = y[1:] * a[:-1]
    a[:-1] += y[:-1]
    a[::2] *= 0.5
    return np.sum(a * x)
# output
# s2sad 0.1  slices_vjp (slice_write.py:6)
import numpy as np


def slices_vjp(x, y, y_bar=1.0):
    """Return slices(x, y) and the cotangents of x and y (slice_write.py:6)."""
    if y.shape[0] != x.shape[0]:
        raise ValueError("slice_write.py:8: y.shape[0] must equal x.shape[0]")
    # forward sweep
    a = x.copy()
    t1 = a[:-1].copy()
    a[1:] = y[1:] * t1
    a[:-1] += y[:-1]
    a[::2] *= 0.5
    # reverse sweep
    a_bar = x * y_bar  # slice_write.py:11
    x_bar = a * y_bar  # slice_write.py:11
    a_bar[::2] *= 0.5  # slice_write.py:10
    y_bar1 = np.zeros_like(y)
    y_bar1[:-1] = a_bar[:-1]  # slice_write.py:9
    t2 = y[1:] * a_bar[1:]  # slice_write.py:8
    y_bar1[1:] += t1 * a_bar[1:]  # slice_write.py:8
    a_bar[1:] = 0.0  # slice_write.py:8
    a_bar[:-1] += t2  # slice_write.py:8
    return np.sum(a * x), (x_bar + a_bar, y_bar1)
