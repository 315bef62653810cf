# flags: jvp
# inputs: x = rng.normal(size=4)
import numpy as np


def chain(x):
    a = np.sin(x) * x
    return np.exp(a) / (1.0 + x * x)
# output
# s2sad 0.1  chain_jvp (elementwise.py:6)
import numpy as np


def chain_jvp(x, x_dot):
    """Return chain(x) and the tangent (elementwise.py:6)."""
    t1 = np.sin(x)
    a = t1 * x
    a_dot = x * (np.cos(x) * x_dot) + t1 * x_dot  # elementwise.py:7
    t2 = np.exp(a)
    t3 = 1.0 + x * x
    y = t2 / t3
    return y, t2 * a_dot / t3 - y * (2.0 * x * x_dot / t3)
