# call: s2sad.grad(f)(np.ones(2))
import numpy as np
from scipy.optimize import root


def f(a):
    return np.sum(root(lambda x: x - a, np.ones(2), method="lm", tol=len).x)
# error
# scipy_option_is_a_function.py:7:19: S118 an option that is a function is not supported
#     return np.sum(root(lambda x: x - a, np.ones(2), method="lm", tol=len).x)
#                   ^
#   leave it out
