# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return x[len(sorted(["a", 1]))]
# error
# sorted_of_two_kinds.py:6:18: S319 TypeError: '<' not supported between instances of 'int' and 'str'
#     return x[len(sorted(["a", 1]))]
#                  ^
