# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    if x[0] > 0.0:
        return x[0], x[1]
    return x[0]
# error
# returns_differ.py:8:5: S324 the returned values differ in structure between paths
#     return x[0]
#     ^
#   return the same structure
