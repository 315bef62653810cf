# call: s2sad.grad(f)(2.0)
import numpy as np


def f(x):
    y = (yield x)
    return y
# error
# await.py:5:1: S103 generator functions are not supported
#     def f(x):
#     ^
#   build and return a list or an array
