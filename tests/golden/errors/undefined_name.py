# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return np.sum(x) * scale
# error
# undefined_name.py:6:24: S110 the name `scale` is not defined
#     return np.sum(x) * scale
#                        ^
#   check its spelling
