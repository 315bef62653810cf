# call: s2sad.grad(f)(np.ones(3))
import numpy as np
from scipy.optimize import root


def f(a):
    return np.sum(root(lambda x: [x[0] - a[0], x[1] - a[1], x[0] - a[2]], np.ones(2), method="lm").x)
# error
# scipy_too_many_equations.py:7:19: S351 `residual` returns 3 numbers for 2 unknowns: it has no root in general
#     return np.sum(root(lambda x: [x[0] - a[0], x[1] - a[1], x[0] - a[2]], np.ones(2), method="lm").x)
#                   ^
#   use least_squares
