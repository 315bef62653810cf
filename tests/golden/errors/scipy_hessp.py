# call: s2sad.grad(f)(np.ones(2))
import numpy as np
from scipy.optimize import minimize


def f(a):
    return minimize(lambda x: np.sum((x - a) ** 2), np.ones(2), hessp=lambda x, p: 2.0 * p).fun
# error
# scipy_hessp.py:7:12: S118 `hessp` of scipy.optimize.minimize is not supported
#     return minimize(lambda x: np.sum((x - a) ** 2), np.ones(2), hessp=lambda x, p: 2.0 * p).fun
#            ^
#   leave it out, or give the derivative: external and custom_root
