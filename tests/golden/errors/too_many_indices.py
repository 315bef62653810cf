# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return x[0, 1]
# error
# too_many_indices.py:6:12: S308 2 indices for an array of rank 1
#     return x[0, 1]
#            ^
#   use at most one index per dimension
