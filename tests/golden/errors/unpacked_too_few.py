# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    a, b, c = (x[0], x[1])
    return a * b * c
# error
