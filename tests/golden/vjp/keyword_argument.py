# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


def shifted(x, scale=2.0, *, shift=0.5):
    return np.sum(np.tanh(scale * x + shift))
# output
# s2sad 0.1  shifted_vjp (keyword_argument.py:6)
import numpy as np


def shifted_vjp(x, scale=2.0, *, shift=0.5, y_bar=1.0):
    """Return shifted(x, scale, shift) and the cotangent of x (keyword_argument.py:6)."""
    # forward sweep
    t1 = np.tanh(scale * x + shift)
    # reverse sweep
    x_bar = scale * ((1.0 - t1 * t1) * y_bar)  # keyword_argument.py:7
    return np.sum(t1), x_bar
