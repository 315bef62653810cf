# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    ys = []
    for v in x:
        ys.append(v)
    return np.sum(ys * 2)
# error
# list_arithmetic.py:9:19: S107 a list built in a loop can be appended to and turned into an array
#     return np.sum(ys * 2)
#                   ^
#   call np.array on it first
