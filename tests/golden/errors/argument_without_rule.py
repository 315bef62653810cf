# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return np.sum(x, where=x > 0.0)
# error
# argument_without_rule.py:6:12: S305 `where` must be known at compile time, not an array
#     return np.sum(x, where=x > 0.0)
#            ^
