# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    s = {v for v in x}
    return sum(s)
# error
