# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


RATE = 0.3


def decay(x):
    return np.sum(np.exp(-RATE * x))
# output
# s2sad 0.1  decay_vjp (captured_constant.py:9)
import numpy as np

RATE = 0.3


def decay_vjp(x, y_bar=1.0):
    """Return decay(x) and the cotangent of x (captured_constant.py:9)."""
    # forward sweep
    t1 = -RATE
    t2 = np.exp(t1 * x)
    # reverse sweep
    return np.sum(t2), t1 * (t2 * y_bar)
