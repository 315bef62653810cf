# call: s2sad.grad(f)(2.0)
import numpy as np


def f(x):
    y = (yield x)
    return y
# error
