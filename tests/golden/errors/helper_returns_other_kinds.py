# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    def first(v):
        if v > 0:
            return x
        return 1.0

    return np.sum(first(x[0]))
# error
# helper_returns_other_kinds.py:11:19: S313 the value returned is of another kind on different paths
#     return np.sum(first(x[0]))
#                   ^
#   give it the same kind (number, array of one rank, tuple) on every path
