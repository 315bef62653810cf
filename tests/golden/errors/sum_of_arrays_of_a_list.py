# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    out = []
    for k in range(len(x)):
        out.append(x * k)
    return np.sum(sum(out))
# error
# sum_of_arrays_of_a_list.py:9:19: S314 what is accumulated is a number before the loop and an array in it
#     return np.sum(sum(out))
#                   ^
#   start from an array: sum(ys, np.zeros(...))
