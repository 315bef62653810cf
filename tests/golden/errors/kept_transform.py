# call: s2sad.grad(f)(np.ones(2))
import numpy as np


import s2sad


def h(x):
    return np.sum(x**3)


def f(x):
    return np.sum(s2sad.hessian(h)(x))
# error
