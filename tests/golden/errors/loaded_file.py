# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return np.load("x.npy") @ x
# error
# loaded_file.py:6:12: S201 `np.load` has no rule
#     return np.load("x.npy") @ x
#            ^
#   write it with functions that have one (nearest: `np.logaddexp` or `float`), or call it before the differentiated function
