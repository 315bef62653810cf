# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return x.flat[0] * 2.0
# error
# flat.py:6:12: S112 `.flat` is not supported
#     return x.flat[0] * 2.0
#            ^
#   use .ravel() or a loop
