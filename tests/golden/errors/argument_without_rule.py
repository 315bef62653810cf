# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return np.sum(np.pad(x, 1, mode="reflect"))
# error
# argument_without_rule.py:6:19: S202 mode='reflect' is not supported
#     return np.sum(np.pad(x, 1, mode="reflect"))
#                   ^
#   leave out mode=
