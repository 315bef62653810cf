# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return np.convolve(np.outer(x, x), x).sum()
# error
# convolved_matrix.py:6:12: S325 ValueError: object too deep for desired array
#     return np.convolve(np.outer(x, x), x).sum()
#            ^
#   pass vectors
