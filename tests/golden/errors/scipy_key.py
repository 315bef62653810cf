# call: s2sad.grad(f)(np.ones(2))
import numpy as np
from scipy.optimize import root


def f(a):
    return np.sum(root(lambda x: x - a, np.ones(2))["fjac"])
# error
# scipy_key.py:7:19: S111 `.fjac` of what scipy.optimize returns here is not read
#     return np.sum(root(lambda x: x - a, np.ones(2))["fjac"])
#                   ^
#   what can be: `.x`, `.fun`, `.success`, `.status`, `.nfev`
