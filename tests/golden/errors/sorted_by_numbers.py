# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    pairs = [(1, x[0]), (1, x[1])]
    return sorted(pairs)[0][1]
# error
# sorted_by_numbers.py:7:12: S305 what decides this order must be known when the program is read
#     return sorted(pairs)[0][1]
#            ^
#   order arrays with np.argsort
