# flags: vjp --wrt x
# inputs: x = rng.normal(size=4); limit = 0.8
import numpy as np


def early(x, limit):
    s = 1.0
    for i in range(x.shape[0]):
        t = np.sin(x[i])
        s = s * t
        s = s + x[i]
        if s > limit:
            return s * s
        s = 0.9 * s
    last = np.cos(x[0])
    return s + last
# output
# s2sad 0.1  early_vjp (early_return.py:6)
import numpy as np


def early_vjp(x, limit, y_bar=1.0):
    """Return early(x, limit) and the cotangent of x (early_return.py:6)."""
    # forward sweep
    s_tape = np.empty(x.shape[0])
    t_tape = np.empty(x.shape[0])
    returned = False
    s = 1.0
    trips = 0
    for i in range(x.shape[0]):
        s_tape[i] = s
        t = np.sin(x[i])
        t_tape[i] = t
        s1 = s * t
        s1 += x[i]
        if s1 > limit:
            y = s1 * s1
            returned = True
            break
        s = 0.9 * s1
        trips += 1
    if not returned:
        last = np.cos(x[0])
        y = s + last
        t1 = x[0]
    # reverse sweep
    if returned:
        x_bar = np.zeros_like(x)
        s = s_tape[trips]
        t = t_tape[trips]
        s_bar = 2.0 * (s * t + x[trips]) * y_bar  # early_return.py:13
        t_bar = s * s_bar  # early_return.py:10
        x_bar[trips] = s_bar + np.cos(x[trips]) * t_bar  # early_return.py:9
        s_bar = t * s_bar  # early_return.py:10
    else:
        x_bar = np.zeros_like(x)
        x_bar[0] = -np.sin(t1) * y_bar  # early_return.py:15
        s_bar = y_bar
    for i in range(trips - 1, -1, -1):
        t2 = 0.9 * s_bar  # early_return.py:14
        t = t_tape[i]
        s = s_tape[i]
        t_bar = s * t2  # early_return.py:10
        x_bar[i] += t2 + np.cos(x[i]) * t_bar  # early_return.py:9
        s_bar = t * t2  # early_return.py:10
    return y, x_bar
