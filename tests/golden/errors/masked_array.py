# call: s2sad.grad(f)(np.ma.masked_array([1.0, 2.0], [True, False]))
import numpy as np


def f(x):
    return np.sum(x)
# error
# S303 argument 0 is a masked array
#   fill it: x.filled(0.0), or x.compressed()
