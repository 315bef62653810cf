# flags: grad --wrt w
# inputs: w = rng.normal(size=3); x = rng.normal(size=(6, 3)); y = rng.normal(size=6)
import numpy as np


def loss(w, x, y):
    r = x @ w - y
    return 0.5 * np.sum(r * r)
# output
# s2sad 0.1  loss_grad (regression.py:6)


def loss_grad(w, x, y):
    """Return the gradient of loss in w (regression.py:6)."""
    if y.shape[0] != x.shape[0]:
        raise ValueError("regression.py:7: y.shape[0] must equal x.shape[0]")
    # forward sweep
    r = x @ w - y
    # reverse sweep
    return x.T @ r
