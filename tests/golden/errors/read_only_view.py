# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    y = np.broadcast_to(x, (2, 3))
    y[0] = 1.0
    return np.sum(y)
# error
# read_only_view.py:7:5: S311 this array is a read-only view and cannot be written
#     y[0] = 1.0
#     ^
#   copy it first
