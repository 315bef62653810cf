# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    y = x * 2.0
    if y is x:
        return np.sum(x)
    return np.sum(y)
# error
