# flags: vjp --wrt w,b
# inputs: w = rng.normal(size=(3, 2)); b = rng.normal(size=2); x = rng.normal(size=(4, 3))
import numpy as np


def layer(w, b, x):
    h = np.tanh(x @ w + b)
    return h
# output
# s2sad 0.1  layer_vjp (dense_layer.py:6)
import numpy as np


def layer_vjp(w, b, x, y_bar):
    """Return layer(w, b, x) and the cotangents of w and b (dense_layer.py:6)."""
    if w.shape[1] != b.shape[0]:
        raise ValueError("dense_layer.py:7: w.shape[1] must equal b.shape[0]")
    # forward sweep
    h = np.tanh(x @ w + b)
    # reverse sweep
    h_bar = (1.0 - h * h) * y_bar  # dense_layer.py:7
    return h, (x.T @ h_bar, np.sum(h_bar, axis=0))
