# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    y = x.copy()
    np.exp.at(y, np.array([0, 0]))
    return np.sum(y)
# error
# unary_at.py:7:5: S118 np.exp.at is not supported
#     np.exp.at(y, np.array([0, 0]))
#     ^
#   write it as a loop
