# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    ys = []
    for v in x:
        ys.append(v)
    return ys.pop()
# error
