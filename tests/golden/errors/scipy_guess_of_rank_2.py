# call: s2sad.grad(f)(np.ones((2, 2)))
import numpy as np
from scipy.optimize import minimize


def f(a):
    return minimize(lambda x: np.sum((x - a) ** 2), np.ones((2, 2))).fun
# error
# scipy_guess_of_rank_2.py:7:12: S319 ValueError: `x0` of scipy.optimize.minimize has rank 2 here
#     return minimize(lambda x: np.sum((x - a) ** 2), np.ones((2, 2))).fun
#            ^
#   pass x0.ravel(), and reshape x in the function
