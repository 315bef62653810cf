# call: s2sad.grad(f)(np.ones(3))
import numpy as np


import s2sad


def h(v):
    return v * v, v * 2.0


def f(x):
    return np.sum(s2sad.jacobian(h, has_aux=True)(x)[0])
# error
# jacobian_with_aux_inside.py:8:1: S240 has_aux is not supported for Jacobians inside a program
#     def h(v):
#     ^
#   return aux from a function of its own
