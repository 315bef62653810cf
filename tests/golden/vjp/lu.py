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
