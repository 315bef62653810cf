# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    x.scale = 2.0
    return np.sum(x)
# error
