# call: s2sad.grad(f, jit=True)(np.ones(2))
import numpy as np
from scipy.optimize import root


def f(a):
    return np.sum(root(lambda x: x - a, np.ones(2)).x)
# error
# scipy_solver_compiled.py:7:19: S292 scipy.optimize.root runs in Python only
#     return np.sum(root(lambda x: x - a, np.ones(2)).x)
#                   ^
#   use jit=False, or custom_root with a solver that is read
