# call: s2sad.grad(f)(2.0)
import numpy as np


def f(x):
    if x < 0.0:
        raise
    return x
# error
