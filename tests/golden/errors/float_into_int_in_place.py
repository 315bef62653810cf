# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    k = np.zeros(3, dtype=int)
    k += x
    return np.sum(k * x)
# error
