# call: s2sad.grad(f)(2.0)
import numpy as np


def f(x):
    s = 0.0
    for v in x:
        s += v
    return s
# error
