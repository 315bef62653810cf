# call: s2sad.grad(f)(np.ones(2))
import numpy as np
from scipy.optimize import fsolve


def f(a):
    x, info, flag, message = fsolve(lambda x: x - a, np.ones(2), full_output=True)
    return np.sum(x)
# error
# scipy_full_output.py:7:30: S118 `full_output` of scipy.optimize.fsolve is not supported
#     x, info, flag, message = fsolve(lambda x: x - a, np.ones(2), full_output=True)
#                              ^
#   use scipy.optimize.root, and read .x and .success
