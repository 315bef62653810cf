# flags: jvp --wrt w,b
# inputs: w = rng.normal(size=(3, 2)); b = rng.normal(size=2); x = rng.normal(size=(4, 3))
import numpy as np


def layer(w, b, x):
    return np.tanh(x @ w + b)
# output
# s2sad 0.1  layer_jvp (layer.py:6)
import numpy as np


def layer_jvp(w, b, x, w_dot, b_dot):
    """Return layer(w, b, x) and the tangent (layer.py:6)."""
    if w.shape[1] != b.shape[0]:
        raise ValueError("layer.py:7: w.shape[1] must equal b.shape[0]")
    y = np.tanh(x @ w + b)
    return y, (1.0 - y * y) * (x @ w_dot + b_dot)
