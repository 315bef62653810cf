# call: s2sad.grad(f)(np.ones(2))
import numpy as np
from scipy.optimize import minimize


def f(a):
    on_line = {"type": "eq", "fun": lambda x: x[0] + x[1]}
    return minimize(lambda x: np.sum((x - a) ** 2), np.ones(2), constraints=[on_line]).fun
# error
# scipy_constraints.py:8:12: S118 `constraints` of scipy.optimize.minimize is not supported: at active bounds the gradient is not 0, and the derivative needs multipliers
#     return minimize(lambda x: np.sum((x - a) ** 2), np.ones(2), constraints=[on_line]).fun
#            ^
#   substitute variables: x = np.exp(z) is positive; or write a rule: custom_root
