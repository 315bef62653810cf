# call: s2sad.grad(f)(np.ones(2))
import numpy as np
from scipy.optimize import minimize


def f(a):
    return np.sum(minimize(lambda x: (x - a) ** 2, np.ones(2)).x)
# error
# scipy_objective_of_rank_1.py:7:19: S351 `objective` must return one number for scipy.optimize.minimize
#     return np.sum(minimize(lambda x: (x - a) ** 2, np.ones(2)).x)
#                   ^
#   return a number, such as an item or a sum
