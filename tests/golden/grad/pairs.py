# flags: grad --wrt x,y
# inputs: x = rng.normal(size=4); y = rng.normal(size=3); w = rng.normal(size=(4, 3))
import numpy as np


def pairs(x, y, w):
    gap = x[:, None] - y
    return np.sum(w * np.exp(-gap ** 2))
# output
# s2sad 0.1  pairs_grad (pairs.py:6)
import numpy as np


def pairs_grad(x, y, w):
    """Return the gradient of pairs in x and y (pairs.py:6)."""
    if x.shape[0] != w.shape[0]:
        raise ValueError("pairs.py:8: x.shape[0] must equal w.shape[0]")
    if y.shape[0] != w.shape[1]:
        raise ValueError("pairs.py:8: y.shape[0] must equal w.shape[1]")
    # forward sweep
    gap = x[:, None] - y
    # reverse sweep
    gap_bar = 2 * gap * -(np.exp(-gap ** 2) * w)  # pairs.py:8
    return np.sum(gap_bar, axis=1), -np.sum(gap_bar, axis=0)
