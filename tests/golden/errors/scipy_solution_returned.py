# call: s2sad.vjp(f, np.ones(2))
import numpy as np
from scipy.optimize import root


def f(a):
    return root(lambda x: x - a, np.ones(2))
# error
# scipy_solution_returned.py:7:5: S323 what scipy.optimize returns cannot be returned or passed on here
#     return root(lambda x: x - a, np.ones(2))
#     ^
#   return or pass its parts, such as .x
