# flags: vjp --wrt x
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
# s2sad 0.1  early_vjp (early_return.py:6)
import numpy as np


def early_vjp(x, limit, y_bar=1.0):
    """Return early(x, limit) and the cotangent of x (early_return.py:6)."""
    # forward sweep
    s_tape = np.empty(x.shape[0])
    s = 1.0
    returned = False
    trips = 0
    for i in range(x.shape[0]):
        s_tape[i] = s
        s1 = s * x[i]
        if s1 > limit:
            returned = True
            y = s1 * s1
            break
        trips += 1
        s = s1
    if not returned:
        y = s + np.sin(x[0])
        t1 = x[0]
    # reverse sweep
    if returned:
        x_bar = np.zeros_like(x)
        s = s_tape[trips]
        s_bar = 2.0 * (s * x[trips]) * y_bar  # early_return.py:11
        x_bar[trips] = s * s_bar  # early_return.py:9
        s_bar = x[trips] * s_bar  # early_return.py:9
    else:
        x_bar = np.zeros_like(x)
        x_bar[0] = np.cos(t1) * y_bar  # early_return.py:12
        s_bar = y_bar
    for i in range(trips - 1, -1, -1):
        s = s_tape[i]
        x_bar[i] += s * s_bar  # early_return.py:9
        s_bar = x[i] * s_bar  # early_return.py:9
    return y, x_bar
