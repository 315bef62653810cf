# flags: vjp
# inputs: x = rng.normal(size=4); y = rng.normal(size=4)
import numpy as np


def joined(x, y):
    z = np.concatenate((x * y, y[1:]))
    s = np.stack((x, y))
    first = np.sum(z * z)
    second = np.sum(s[0] * s[1])
    return first + second
# output
# s2sad 0.1  joined_vjp (concatenate.py:6)
import numpy as np


def joined_vjp(x, y, y_bar=1.0):
    """Return joined(x, y) and the cotangents of x and y (concatenate.py:6)."""
    if y.shape[0] != x.shape[0]:
        raise ValueError("concatenate.py:7: y.shape[0] must equal x.shape[0]")
    # forward sweep
    t1 = x * y
    z = np.concatenate((t1, y[1:]))
    s = np.stack((x, y))
    first = np.sum(z * z)
    second = np.sum(s[0] * s[1])
    # reverse sweep
    s_bar = np.zeros_like(s)
    s_bar[1] = s[0] * y_bar  # concatenate.py:10
    s_bar[0] += s[1] * y_bar  # concatenate.py:10
    z_bar = 2.0 * z * y_bar  # concatenate.py:9
    x_bar = s_bar[0]  # concatenate.py:8
    y_bar1 = s_bar[1]  # concatenate.py:8
    t2 = z_bar[:t1.shape[0]]  # concatenate.py:7
    t3 = x_bar + y * t2  # concatenate.py:7
    y_bar1[1:] += z_bar[t1.shape[0]:]  # concatenate.py:7
    y_bar1 += x * t2  # concatenate.py:7
    return first + second, (t3, y_bar1)
