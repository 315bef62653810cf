# call: s2sad.grad(f)(np.ones(9))
import numpy as np


def f(x):
    total = 0.0
    for i in range(9)[2:8:3]:
        total += x[i]
    return total
# error
# slice_of_a_range.py:7:14: S318 a slice is no index of a range
#     for i in range(9)[2:8:3]:
#              ^
#   use an int
