# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return sorted(x)[0]
# error
# sorted_array.py:6:12: S305 the order of an array is not known when the program is read
#     return sorted(x)[0]
#            ^
#   use np.sort
