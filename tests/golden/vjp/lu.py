# flags: vjp
# inputs: a0 = rng.normal(size=(3, 3)) + 4.0 * np.eye(3)
import numpy as np


def log_det(a0):
    a = a0.copy()
    n = a.shape[0]
    for k in range(n):
        for i in range(k + 1, n):
            a[i, k] /= a[k, k]
            for j in range(k + 1, n):
                a[i, j] -= a[i, k] * a[k, j]
    s = 0.0
    for k in range(n):
        s += np.log(a[k, k])
    return s
# output
# s2sad 0.1  log_det_vjp (lu.py:6)
import numpy as np


def log_det_vjp(a0, y_bar=1.0):
    """Return log_det(a0) and the cotangent of a0 (lu.py:6)."""
    # forward sweep
    a = a0.copy()
    n = a.shape[0]
    for k in range(n):
        for i in range(k + 1, n):
            a[i, k] /= a[k, k]
            for j in range(k + 1, n):
                a[i, j] -= a[i, k] * a[k, j]
    s = 0.0
    for k in range(n):
        s += np.log(a[k, k])
    # reverse sweep
    a_bar = np.zeros_like(a)
    for k in range(n - 1, -1, -1):
        a_bar[k, k] += y_bar / a[k, k]  # lu.py:16
    for k in range(n - 1, -1, -1):
        for i in range(n - 1, k, -1):
            for j in range(n - 1, k, -1):
                t1 = a_bar[i, j]  # lu.py:13
                a_bar[k, j] -= a[i, k] * t1  # lu.py:13
                a_bar[i, k] -= a[k, j] * t1  # lu.py:13
            t2 = a_bar[i, k] / a[k, k]  # lu.py:11
            a_bar[i, k] = t2  # lu.py:11
            a_bar[k, k] -= a[i, k] * t2  # lu.py:11
    return s, a_bar
