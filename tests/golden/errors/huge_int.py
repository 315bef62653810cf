# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return x[0] * 10**30
# error
# huge_int.py:6:19: S316 an int beyond 64 bits cannot be compiled
#     return x[0] * 10**30
#                   ^
#   use a float
