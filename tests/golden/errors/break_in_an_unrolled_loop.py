# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    s = 0.0
    for k in (1.0, 2.0, 3.0):
        if x[0] > k:
            break
        s += x[1] * k
    return s
# error
