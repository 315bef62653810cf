# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return np.sum(np.sum(x, axis=1))
# error
# axis_out_of_bounds.py:6:19: S326 axis 1 is out of bounds for rank 1
#     return np.sum(np.sum(x, axis=1))
#                   ^
#   check the axis
