# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return x[np.sum(x)]
# error
# float_index.py:6:12: S308 an index must be an int
#     return x[np.sum(x)]
#            ^
#   convert with int()
