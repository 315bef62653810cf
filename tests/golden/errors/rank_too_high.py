# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    y = np.zeros(3)
    y[0] = x
    return np.sum(y)
# error
