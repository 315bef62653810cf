# call: s2sad.grad(f)(np.ones(2))
import numpy as np
from scipy.optimize import root


def f(a):
    return np.sum(root(lambda x: x - a, None).x)
# error
# scipy_guess_not_an_array.py:7:19: S306 `x0` must be an array or a number
#     return np.sum(root(lambda x: x - a, None).x)
#                   ^
