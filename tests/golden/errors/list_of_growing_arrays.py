# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    ys = []
    y = x
    for v in x:
        y = np.concatenate((y, x))
        ys.append(y)
    return np.sum(ys[-1])
# error
