# call: s2sad.grad(f)(np.ones(3))
import numpy as np


import s2sad


def h(v):
    v[0] = 1.0
    return np.sum(v * v)


def f(x):
    return np.sum(s2sad.grad(h)(x))
# error
# inner_function_mutates.py:14:19: S127 a function transformed inside a program must not write or return arrays it is given
#     return np.sum(s2sad.grad(h)(x))
#                   ^
#   copy first, or return fresh arrays
