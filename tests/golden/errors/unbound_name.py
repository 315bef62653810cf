# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    y = y + np.sum(x)
    return y
# error
