# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


def listed(x):
    ys = []
    for v in x:
        t = np.sin(v)
        ys.append(t * v)
    a = np.array(ys)
    b = a * x
    return np.sum(b)
# output
# s2sad 0.1  listed_vjp (list_building.py:6)
import numpy as np


def listed_vjp(x, y_bar=1.0):
    """Return listed(x) and the cotangent of x (list_building.py:6)."""
    # forward sweep
    ys = np.empty(x.shape[0])
    t_tape = np.empty(x.shape[0])
    for k in range(x.shape[0]):
        v = x[k]
        t = np.sin(v)
        t_tape[k] = t
        ys[k] = t * v
    a = ys.copy()
    b = a * x
    y = np.sum(b)
    # reverse sweep
    a_bar = x * y_bar  # list_building.py:12
    x_bar = a * y_bar  # list_building.py:12
    for k in range(x.shape[0] - 1, -1, -1):
        t1 = a_bar[k]  # list_building.py:10
        a_bar[k] = 0.0  # list_building.py:10
        v = x[k]  # recomputed: list_building.py:8
        t_bar = v * t1  # list_building.py:10
        t = t_tape[k]
        v_bar = t * t1  # list_building.py:10
        x_bar[k] += v_bar + np.cos(v) * t_bar  # list_building.py:8
    return y, x_bar
