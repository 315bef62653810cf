# flags: vjp --wrt x
# inputs: x = rng.normal(size=4); idx = np.array([1, 3, 1, 0])
import numpy as np


def histogram(x, idx):
    h = np.zeros(5)
    np.add.at(h, idx, x)
    return np.sum(h * h) + np.sum(h[idx] * x)
# output
# s2sad 0.1  histogram_vjp (index_array.py:6)
import numpy as np


def histogram_vjp(x, idx, y_bar=1.0):
    """Return histogram(x, idx) and the cotangent of x (index_array.py:6)."""
    if x.shape[0] != idx.shape[0]:
        raise ValueError("index_array.py:8: x.shape[0] must equal idx.shape[0]")
    # forward sweep
    h = np.zeros(5)
    np.add.at(h, idx, x)
    t1 = h[idx]
    # reverse sweep
    x_bar = t1 * y_bar  # index_array.py:9
    h_bar = np.zeros_like(h)
    np.add.at(h_bar, idx, x * y_bar)  # index_array.py:9
    h_bar += 2.0 * h * y_bar  # index_array.py:9
    return np.sum(h * h) + np.sum(t1 * x), x_bar + h_bar[idx]
