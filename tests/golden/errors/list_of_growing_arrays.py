# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    ys = []
    y = x
    for v in x:
        y = np.concatenate((y, x))
        ys.append(y)
    return np.sum(ys[-1])
# error
# list_of_growing_arrays.py:8:5: S322 the shape of the items of this list is not known before the loop
#     for v in x:
#     ^
#   fill an array instead: ys = np.empty((n, m)); ys[i] = y
