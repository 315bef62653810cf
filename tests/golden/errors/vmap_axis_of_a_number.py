# call: s2sad.grad(total)(np.ones((2, 3)))
import numpy as np


import s2sad


def f(x, w):
    return np.sum(x) * w


def total(x):
    return np.sum(s2sad.vmap(f)(x, 2.0))
# error
# vmap_axis_of_a_number.py:13:19: S361 vmap cannot take axis 0 of a number
#     return np.sum(s2sad.vmap(f)(x, 2.0))
#                   ^
#   in_axes=None (or its item for this argument) passes it whole
