# call: s2sad.grad(f)(np.ones(2))
import numpy as np
from scipy.optimize import minimize


def f(a):
    return minimize(lambda x: np.sum((x - a) ** 2), np.ones(2), options={"finite": np.float64}).fun
# error
# scipy_option_without_text.py:7:12: S118 an option of SciPy that is a type has no text
#     return minimize(lambda x: np.sum((x - a) ** 2), np.ones(2), options={"finite": np.float64}).fun
#            ^
#   pass a number, a string or an array
