# flags: jvp --wrt x
# inputs: x = rng.normal(size=4); limit = 0.8
import numpy as np


def early(x, limit):
    s = 1.0
    for i in range(x.shape[0]):
        s = s * x[i]
        if s > limit:
            return s * s
    return s + np.sin(x[0])
# output
# s2sad 0.1  early_jvp (returns_early.py:6)
import numpy as np


def early_jvp(x, limit, x_dot):
    """Return early(x, limit) and the tangent (returns_early.py:6)."""
    s = 1.0
    s_dot = 0.0
    for i in range(x.shape[0]):
        s_dot = x[i] * s_dot + s * x_dot[i]  # returns_early.py:9
        s *= x[i]
        if s > limit:
            return s * s, 2.0 * s * s_dot
    return s + np.sin(x[0]), s_dot + np.cos(x[0]) * x_dot[0]
