# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    s = 0.0
    for y in [x] * 300:
        s += np.sum(y)
    return s
# error
# too_many_to_unroll.py:7:14: S116 a loop over 300 compile-time items is too long to unroll
#     for y in [x] * 300:
#              ^
#   stack them in an array
