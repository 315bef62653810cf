# flags: vjp
# inputs: x = rng.normal(size=4); w = rng.normal(size=4)
import numpy as np


def path(x, w):
    return np.sum(np.cumsum(x) * w)
# output
# s2sad 0.1  path_vjp (cumulative_sum.py:6)
import numpy as np


def path_vjp(x, w, y_bar=1.0):
    """Return path(x, w) and the cotangents of x and w (cumulative_sum.py:6)."""
    if x.shape[0] != w.shape[0]:
        raise ValueError("cumulative_sum.py:7: x.shape[0] must equal w.shape[0]")
    # forward sweep
    t1 = np.cumsum(x)
    # reverse sweep
    return np.sum(t1 * w), (np.cumsum((w * y_bar)[::-1])[::-1], t1 * y_bar)
