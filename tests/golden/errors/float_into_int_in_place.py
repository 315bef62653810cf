# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    k = np.zeros(3, dtype=int)
    k += x
    return np.sum(k * x)
# error
# float_into_int_in_place.py:7:5: S312 float64 cannot be stored in place in an array of int64
#     k += x
#     ^
#   make the array float: np.zeros(n) or x.astype(float)
