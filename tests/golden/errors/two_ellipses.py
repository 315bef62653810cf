# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return np.sum(x[..., ...])
# error
# two_ellipses.py:6:19: S308 an index can hold only one `...`
#     return np.sum(x[..., ...])
#                   ^
