# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return np.sum[x]
# error
# subscripted_function.py:6:12: S305 a subscript of a compile-time object must be known at compile time, not an array
#     return np.sum[x]
#            ^
