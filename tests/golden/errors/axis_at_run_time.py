# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    k = 0
    while x[k] > 2.0:
        k += 1
    return np.sum(np.sum(x, axis=k))
# error
# axis_at_run_time.py:9:19: S305 `axis` must be known at compile time
#     return np.sum(np.sum(x, axis=k))
#                   ^
#   pass a literal or an argument
