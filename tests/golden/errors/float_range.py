# call: s2sad.grad(f)(2.0)
import numpy as np


def f(x):
    s = 0.0
    for i in range(x):
        s += x
    return s
# error
# float_range.py:7:14: S320 range() needs ints
#     for i in range(x):
#              ^
#   convert with int()
