# call: s2sad.grad(f)(np.arange(3))
import numpy as np


def f(x):
    return np.sum(x * x)
# error
# int_array_argument.py:5:1: S342 argument x of f is an array of int64: no derivative exists with respect to it
#     def f(x):
#     ^
#   pass x.astype(float)
