# call: s2sad.grad(f)(2.0)
import numpy as np


def f(x):
    return x.shape[0] * x
# error
# attribute_of_a_number.py:6:12: S310 a number is used as an array here
#     return x.shape[0] * x
#            ^
#   pass an array, or annotate the argument: x: "f8[:]"
