# call: s2sad.grad(f)(1.0 + 2.0j)
import numpy as np


def f(x):
    return abs(x)
# error
