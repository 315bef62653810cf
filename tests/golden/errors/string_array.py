# call: s2sad.grad(f)(np.array(['a', 'b']))
import numpy as np


def f(x):
    return np.sum(x)
# error
# S302 x has dtype <U1
#   pass numeric arrays only
