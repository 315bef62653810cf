# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return np.sum(x & 1)
# error
# bit_operation_on_floats.py:6:19: S317 bit operations need ints or bools
#     return np.sum(x & 1)
#                   ^
#   use `and`, `or`, np.where
