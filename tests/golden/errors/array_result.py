# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return x * x
# error
# array_result.py:5:1: S351 grad needs a scalar result, but f returns an array of rank 1
#     def f(x):
#     ^
#   use vjp or jacobian, or sum the result
