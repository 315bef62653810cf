# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    p = {"w": x}
    return np.sum(p["b"])
# error
