# flags: vjp --wrt w
# inputs: w = rng.normal(size=4); x = rng.normal(size=4)
import numpy as np


def loss(w, x):
    total = 0.0
    for i in range(x.shape[0]):
        t = x[i] * w[i]
        if t > 0.0:
            total += t * t
    return total
# output
# s2sad 0.1  loss_vjp (loop_with_branch.py:6)
import numpy as np


def loss_vjp(w, x, y_bar=1.0):
    """Return loss(w, x) and the cotangent of w (loop_with_branch.py:6)."""
    # forward sweep
    total = 0.0
    for i in range(x.shape[0]):
        t = x[i] * w[i]
        if t > 0.0:
            total += t * t
    # reverse sweep
    w_bar = np.zeros_like(w)
    for i in range(x.shape[0] - 1, -1, -1):
        t = x[i] * w[i]  # recomputed: loop_with_branch.py:9
        if t > 0.0:
            t_bar = 2.0 * t * y_bar  # loop_with_branch.py:11
            w_bar[i] += x[i] * t_bar  # loop_with_branch.py:9
    return total, w_bar
