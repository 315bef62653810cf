# call: s2sad.grad(f)(np.ones(3))
import numpy as np


import s2sad


def f(x):
    return np.sum(s2sad.grad(None)(x))
# error
# grad_of_nothing.py:9:19: S126 `grad` needs a function here
#     return np.sum(s2sad.grad(None)(x))
#                   ^
#   write grad(f)(x)
