# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return np.sum(x.magnitude)
# error
# unknown_attribute.py:6:12: S306 the method `magnitude` cannot be an argument here
#     return np.sum(x.magnitude)
#            ^
