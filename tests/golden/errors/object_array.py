# call: s2sad.grad(f)(np.array([1.0, None]))
import numpy as np


def f(x):
    return np.sum(x)
# error
# object_array.py:5:1: S301 x is an array of Python objects
#     def f(x):
#     ^
#   make it numeric: np.asarray(values, dtype=float), or series.to_numpy(dtype=float)
