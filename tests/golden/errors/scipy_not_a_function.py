# call: s2sad.grad(f)(np.ones(2))
import numpy as np
from scipy.optimize import root


def f(a):
    return np.sum(root(a, np.ones(2)).x)
# error
# scipy_not_a_function.py:7:19: S126 scipy.optimize.root needs a function here
#     return np.sum(root(a, np.ones(2)).x)
#                   ^
#   pass one that can be read
