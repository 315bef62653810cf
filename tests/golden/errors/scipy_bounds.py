# call: s2sad.grad(f)(np.ones(2))
import numpy as np
from scipy.optimize import minimize


def f(a):
    found = minimize(lambda x: np.sum((x - a) ** 2), np.ones(2), bounds=[(0.0, 1.0)] * 2)
    return np.sum(found.x)
# error
# scipy_bounds.py:7:13: S118 `bounds` of scipy.optimize.minimize is not supported: at active bounds the gradient is not 0, and the derivative needs multipliers
#     found = minimize(lambda x: np.sum((x - a) ** 2), np.ones(2), bounds=[(0.0, 1.0)] * 2)
#             ^
#   substitute variables: x = np.exp(z) is positive; or write a rule: custom_root
