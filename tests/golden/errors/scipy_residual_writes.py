# call: s2sad.grad(f)(np.ones(2))
import numpy as np
from scipy.optimize import root


def residual(x, a):
    x[0] = 1.0
    return x - a


def f(a):
    return np.sum(root(residual, np.ones(2), args=(a,)).x)
# error
# scipy_residual_writes.py:12:19: S127 SciPy calls `residual` many times: it must not write its arguments
#     return np.sum(root(residual, np.ones(2), args=(a,)).x)
#                   ^
#   copy first
