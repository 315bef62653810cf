# call: s2sad.grad(f)(np.ones(2).view(np.recarray))
import numpy as np


def f(x):
    return np.sum(x)
# error
# S303 argument 0 is a recarray, not a plain array
#   pass np.asarray(x)
