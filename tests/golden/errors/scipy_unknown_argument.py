# call: s2sad.grad(f)(np.ones(2))
import numpy as np
from scipy.optimize import root


def f(a):
    return np.sum(root(lambda x: x - a, np.ones(2), tolerance=1e-9).x)
# error
# scipy_unknown_argument.py:7:19: S319 TypeError: got an unexpected keyword argument 'tolerance'
#     return np.sum(root(lambda x: x - a, np.ones(2), tolerance=1e-9).x)
#                   ^
