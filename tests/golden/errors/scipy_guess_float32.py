# call: s2sad.grad(f)(np.ones(2))
import numpy as np
from scipy.optimize import minimize


def f(a):
    return minimize(lambda x: np.sum((x - a) ** 2), np.ones(2, dtype=np.float32)).fun
# error
# scipy_guess_float32.py:7:12: S118 SciPy would solve in the type of `x0`, which is float32
#     return minimize(lambda x: np.sum((x - a) ** 2), np.ones(2, dtype=np.float32)).fun
#            ^
#   write x0.astype(np.float64); complex numbers as pairs
