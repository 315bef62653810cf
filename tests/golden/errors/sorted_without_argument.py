# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return x[sorted([0, 1], cmp=None)[0]]
# error
# sorted_without_argument.py:6:14: S319 TypeError: sorted(): got an unexpected keyword argument 'cmp'
#     return x[sorted([0, 1], cmp=None)[0]]
#              ^
