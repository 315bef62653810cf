# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return np.sum(sum((x * v for v in x if v > 0), 0.0))
# error
# sum_of_arrays_under_a_condition.py:6:24: S313 what is accumulated is of another kind on different paths
#     return np.sum(sum((x * v for v in x if v > 0), 0.0))
#                        ^
#   give it the same kind (number, array of one rank, tuple) on every path
