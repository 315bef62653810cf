# call: s2sad.grad(f)(np.ones(2))
import numpy as np
from scipy.optimize import minimize


def downhill(fun, x0, **others):
    return x0


def f(a):
    return minimize(lambda x: np.sum((x - a) ** 2), np.ones(2), method=downhill).fun
# error
# scipy_method_of_your_own.py:11:12: S118 a method of your own of scipy.optimize.minimize is not supported
#     return minimize(lambda x: np.sum((x - a) ** 2), np.ones(2), method=downhill).fun
#            ^
#   name one of SciPy's
