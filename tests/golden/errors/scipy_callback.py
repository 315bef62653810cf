# call: s2sad.grad(f)(np.ones(2))
import numpy as np
from scipy.optimize import minimize


def f(a):
    return minimize(lambda x: np.sum((x - a) ** 2), np.ones(2), callback=print).fun
# error
# scipy_callback.py:7:12: S118 `callback` of scipy.optimize.minimize is not supported: it is not read
#     return minimize(lambda x: np.sum((x - a) ** 2), np.ones(2), callback=print).fun
#            ^
#   leave it out
