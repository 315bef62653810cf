# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    y = np.sum(x)
    return y(x)
# error
# called_a_number.py:7:12: S117 a number cannot be called
#     return y(x)
#            ^
#   call a function
