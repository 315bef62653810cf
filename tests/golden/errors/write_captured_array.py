# call: s2sad.grad(f)(np.ones(3))
import numpy as np


LOG = np.zeros(3)


def f(x):
    LOG[0] = x[0]
    return np.sum(x * LOG)
# error
