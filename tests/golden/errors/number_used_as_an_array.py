# call: s2sad.grad(f)(2.0)
import numpy as np


def f(x):
    return x[0]
# error
# number_used_as_an_array.py:6:12: S310 a number is used as an array here
#     return x[0]
#            ^
#   pass an array, or annotate the argument: x: "f8[:]"
