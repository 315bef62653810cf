# flags: jvp --wrt x
# inputs: x = rng.normal(size=4); limit = 0.5
import numpy as np


def stops(x, limit):
    s = 0.0
    for i in range(x.shape[0]):
        s += np.exp(x[i]) * x[i]
        if s > limit:
            break
    return s
# output
# s2sad 0.1  stops_jvp (loop_with_break.py:6)
import numpy as np


def stops_jvp(x, limit, x_dot):
    """Return stops(x, limit) and the tangent (loop_with_break.py:6)."""
    s = 0.0
    s_dot = 0.0
    for i in range(x.shape[0]):
        t1 = np.exp(x[i])
        t2 = t1 * x_dot[i]  # loop_with_break.py:9
        s += t1 * x[i]
        s_dot += x[i] * t2 + t2  # loop_with_break.py:9
        if s > limit:
            break
    return s, s_dot
