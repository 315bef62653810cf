# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    if x[0] > 0.0:
        y = x
    else:
        y = (x[0], x[1])
    return np.sum(y)
# error
