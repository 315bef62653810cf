# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return np.sum(np.sin("x"))
# error
# array_of_strings.py:6:19: S319 TypeError: 'x' is not a Python number
#     return np.sum(np.sin("x"))
#                   ^
