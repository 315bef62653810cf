# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


def listed(x):
    ys = []
    for v in x:
        ys.append(v * v)
    return np.sum(np.array(ys) * x)
# output
# s2sad 0.1  listed_vjp (list_building.py:6)
import numpy as np


def listed_vjp(x, y_bar=1.0):
    """Return listed(x) and the cotangent of x (list_building.py:6)."""
    # forward sweep
    ys = np.empty(x.shape[0])
    for k in range(x.shape[0]):
        v = x[k]
        ys[k] = v * v
    t1 = ys.copy()
    y = np.sum(t1 * x)
    # reverse sweep
    x_bar = t1 * y_bar  # list_building.py:10
    ys_bar = x * y_bar  # list_building.py:10
    for k in range(x.shape[0] - 1, -1, -1):
        t2 = ys_bar[k]  # list_building.py:9
        ys_bar[k] = 0.0  # list_building.py:9
        v = x[k]  # recomputed: list_building.py:8
        v_bar = 2.0 * v * t2  # list_building.py:9
        x_bar[k] += v_bar  # list_building.py:8
    return y, x_bar
