# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    y = x
    for _ in range(x.shape[0]):
        y = np.outer(y, x)
    return np.sum(y)
# error
