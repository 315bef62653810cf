# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return np.sum(x, **x)
# error
# star_star_in_a_call.py:6:12: S114 `**` in a call needs a dict
#     return np.sum(x, **x)
#            ^
#   name the arguments
