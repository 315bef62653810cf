# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return len(np.sum(x)) * x[0]
# error
# len_of_a_number.py:6:12: S310 a number is used as an array here
#     return len(np.sum(x)) * x[0]
#            ^
#   pass an array, or annotate the argument: x: "f8[:]"
