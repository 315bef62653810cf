# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    x[0] = 1.0
# error
