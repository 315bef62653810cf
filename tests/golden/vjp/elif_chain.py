# flags: vjp
# inputs: x = 0.3
import numpy as np


def pieces(x):
    if x > 1.0:
        y = x * x
    elif x > 0.0:
        y = np.sin(x)
    else:
        y = -x
    return 3.0 * y
# output
# s2sad 0.1  pieces_vjp (elif_chain.py:6)
import numpy as np


def pieces_vjp(x, y_bar=1.0):
    """Return pieces(x) and the cotangent of x (elif_chain.py:6)."""
    # forward sweep
    t1 = x > 1.0
    if t1:
        y = x * x
    else:
        t2 = x > 0.0
        if t2:
            y = np.sin(x)
        else:
            y = -x
    result = 3.0 * y
    # reverse sweep
    t3 = 3.0 * y_bar  # elif_chain.py:13
    if t1:
        x_bar = 2.0 * x * t3  # elif_chain.py:8
    elif t2:
        x_bar = np.cos(x) * t3  # elif_chain.py:10
    else:
        x_bar = -t3  # elif_chain.py:12
    return result, float(x_bar)
