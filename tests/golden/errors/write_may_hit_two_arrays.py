# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    a = x.copy()
    b = x * 2.0
    if a[0] > 0.0:
        c = a
    else:
        c = b
    c[0] = 3.0 * a[1]
    return np.sum(a * b)
# error
# write_may_hit_two_arrays.py:13:19: S402 this array may share memory with one written at write_may_hit_two_arrays.py:12, which cannot be told here
#     return np.sum(a * b)
#                   ^
#   make one of them independent with `.copy()`
