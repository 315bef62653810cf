# call: s2sad.grad(f, has_aux=True)(np.ones(3))
import numpy as np


def f(x):
    return np.sum(x)
# error
# aux_missing.py:5:1: S350 with has_aux, f must return a pair (value, aux)
#     def f(x):
#     ^
#   return value, aux
