# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return np.magnitude(x)
# error
# unknown_function.py:6:12: S111 module 'numpy' has no attribute 'magnitude'
#     return np.magnitude(x)
#            ^
#   check the spelling
