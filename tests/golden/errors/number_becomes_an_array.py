# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    s = 0.0
    for i in range(x.shape[0]):
        s = s + x * x[i]
    return np.sum(s)
# error
# number_becomes_an_array.py:7:5: S314 `s` is a number before the loop and an array in it
#     for i in range(x.shape[0]):
#     ^
#   start from an array: `s = np.zeros(...)` of the right shape
