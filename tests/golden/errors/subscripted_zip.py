# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return zip(x, x)[0]
# error
# subscripted_zip.py:6:12: S113 the iterator `zip` cannot be subscripted
#     return zip(x, x)[0]
#            ^
#   index an array or container
