# flags: jvp
# inputs: a = 2.3
import numpy as np


def square_root(a):
    x = 1.0
    while abs(x * x - a) > 1e-12:
        x = 0.5 * (x + a / x)
    return x
# output
# s2sad 0.1  square_root_jvp (newton.py:6)


def square_root_jvp(a, a_dot):
    """Return square_root(a) and the tangent (newton.py:6)."""
    x = 1.0
    x_dot = 0.0
    while abs(x * x - a) > 1e-12:
        t1 = a / x
        x_dot = 0.5 * (x_dot + (a_dot / x - t1 * (x_dot / x)))  # newton.py:9
        x = 0.5 * (x + t1)
    return x, x_dot
