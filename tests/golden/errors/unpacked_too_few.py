# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    a, b, c = (x[0], x[1])
    return a * b * c
# error
# unpacked_too_few.py:6:5: S319 ValueError: cannot unpack 2 values into 3 names
#     a, b, c = (x[0], x[1])
#     ^
