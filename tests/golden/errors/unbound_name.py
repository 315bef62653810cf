# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    y = y + np.sum(x)
    return y
# error
# unbound_name.py:6:9: S110 `y` is not bound here
#     y = y + np.sum(x)
#         ^
#   assign it before it is read
