# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    for v in x:
        yield v
# error
