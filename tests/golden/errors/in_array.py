# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    if 1.0 in x:
        return np.sum(x)
    return x[0]
# error
# in_array.py:6:8: S109 `in` is not supported on an array
#     if 1.0 in x:
#        ^
#   compare with ==
