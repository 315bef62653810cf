# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    if x[0] is x[1]:
        return np.sum(x)
    return x[0]
# error
# is_between_numbers.py:6:8: S108 `is` is decided at compile time only for None and static values
#     if x[0] is x[1]:
#        ^
#   use ==
