# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return np.argmax(x)
# error
# int_result.py:5:1: S352 grad needs a real float result, but f returns i8
#     def f(x):
#     ^
#   return a float, for instance 1.0 * y
