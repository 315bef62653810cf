# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return np.sum(np.array([x, x[0]]))
# error
# rows_differ.py:6:19: S327 the rows of the list differ in rank
#     return np.sum(np.array([x, x[0]]))
#                   ^
#   make all rows equally long
