# flags: vjp
# inputs: x = rng.normal(size=4)
import numpy as np


def kept(x):
    a = x.copy()
    tail = a[1:]
    a[2] = a[0] * a[1]
    s = np.sum(tail * tail)
    tail[0] = s
    return np.sum(a) * s
# output
# s2sad 0.1  kept_vjp (view_kept.py:6)
import numpy as np


def kept_vjp(x, y_bar=1.0):
    """Return kept(x) and the cotangent of x (view_kept.py:6)."""
    # forward sweep
    a = x.copy()
    t1 = a[0]
    t2 = a[1]
    a[2] = t1 * t2
    t3 = a[1:].copy()
    s = np.sum(t3 * t3)
    a[1] = s
    t4 = np.sum(a)
    # reverse sweep
    s_bar = t4 * y_bar  # view_kept.py:12
    a_bar = np.full_like(a, s * y_bar)  # view_kept.py:11
    s_bar += a_bar[1]  # view_kept.py:11
    a_bar[1] = 0.0  # view_kept.py:11
    a_bar[1:] += 2.0 * t3 * s_bar  # view_kept.py:10
    t5 = a_bar[2]  # view_kept.py:9
    a_bar[2] = 0.0  # view_kept.py:9
    a_bar[1] += t1 * t5  # view_kept.py:9
    a_bar[0] += t2 * t5  # view_kept.py:9
    return t4 * s, a_bar
