# call: s2sad.grad(f)(2.0)
import numpy as np


def f(x):
    try:
        y = x**2
    except ValueError:
        y = x
    return y
# error
