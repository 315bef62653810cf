# call: s2sad.grad(f)(np.ones(3))
import numpy as np


import s2sad


def h(v):
    u = v * v
    return u, u


def f(x):
    return np.sum(s2sad.jacobian(h)(x)[0])
# error
# inner_function_returns_twice.py:14:19: S127 a function transformed inside a program must not return an array twice, or write others'
#     return np.sum(s2sad.jacobian(h)(x)[0])
#                   ^
#   return copies
