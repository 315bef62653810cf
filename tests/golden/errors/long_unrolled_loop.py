# call: s2sad.grad(f)(np.ones(3))
import numpy as np


NAMES = tuple(range(400))


def f(x):
    s = 0.0
    for k in NAMES:
        s = s * x[0] + k
    return s
# error
# long_unrolled_loop.py:10:14: S116 a loop over 400 compile-time items is too long to unroll
#     for k in NAMES:
#              ^
#   stack them in an array
