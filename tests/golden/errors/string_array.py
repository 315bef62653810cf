# call: s2sad.grad(f)(np.array(['a', 'b']))
import numpy as np


def f(x):
    return np.sum(x)
# error
# string_array.py:5:1: S302 x has dtype <U1
#     def f(x):
#     ^
#   pass numeric arrays only
