# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    for v in x:
        yield v
# error
# generator_function.py:5:1: S103 generator functions are not supported
#     def f(x):
#     ^
#   build and return a list or an array
