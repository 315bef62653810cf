# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    if x[0] > 0.0:
        y = x
    else:
        y = (x[0], x[1])
    return np.sum(y)
# error
# kind_depends_on_the_branch.py:10:19: S313 `y` is of another kind on different paths
#     return np.sum(y)
#                   ^
#   give it the same kind (number, array of one rank, tuple) on every path
