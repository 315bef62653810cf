# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return x[np.nanargmax(x)]
# error
# function_without_rule.py:6:14: S201 `np.nanargmax` has no rule
#     return x[np.nanargmax(x)]
#              ^
#   write it with functions that have one (nearest: `np.nanmax` or `np.argmax`), or call it before the differentiated function
