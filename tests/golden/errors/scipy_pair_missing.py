# call: s2sad.grad(f)(np.ones(2))
import numpy as np
from scipy.optimize import minimize


def f(a):
    return np.sum(minimize(lambda x: np.sum((x - a) ** 2), np.ones(2), jac=True).x)
# error
# scipy_pair_missing.py:7:19: S350 with jac=True, `objective` must return a pair: its value and its derivative
#     return np.sum(minimize(lambda x: np.sum((x - a) ** 2), np.ones(2), jac=True).x)
#                   ^
#   return value, derivative
