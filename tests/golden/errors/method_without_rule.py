# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return x.tobytes()
# error
# method_without_rule.py:6:12: S201 the method `.tobytes()` of an array has no rule
#     return x.tobytes()
#            ^
#   use the NumPy function
