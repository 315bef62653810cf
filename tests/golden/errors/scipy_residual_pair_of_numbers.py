# call: s2sad.grad(f)(2.0)
from scipy.optimize import root


def f(a):
    return root(lambda x: (x[0] - a, 1.0), 1.0, jac=True).x[0]
# error
# scipy_residual_pair_of_numbers.py:6:12: S351 `residual` must return a vector for scipy.optimize.root
#     return root(lambda x: (x[0] - a, 1.0), 1.0, jac=True).x[0]
#            ^
#   return an array
