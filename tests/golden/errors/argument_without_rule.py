# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return np.sum(x, where=x > 0.0)
# error
