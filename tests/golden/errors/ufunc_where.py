# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return np.add(x, 1.0, where=x > 0.5).sum()
# error
# ufunc_where.py:6:12: S202 where= of an array or a variable is not supported
#     return np.add(x, 1.0, where=x > 0.5).sum()
#            ^
#   leave out where=
