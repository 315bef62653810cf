# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    s = 0.0
    for i in range(x.shape[0]):
        s = s + x * x[i]
    return np.sum(s)
# error
