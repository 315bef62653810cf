# call: s2sad.grad(f)(3)
import numpy as np


def f(x):
    return x * x
# error
