# call: s2sad.grad(f)(2.0)
from scipy.optimize import root


def f(a):
    return root(lambda x: x - a, a, method="krylov").x
# error
# scipy_guess_of_rank_0.py:6:12: S319 `method='krylov'` of scipy.optimize.root returns an array of rank 0 for a number
#     return root(lambda x: x - a, a, method="krylov").x
#            ^
#   pass np.array([x0])
