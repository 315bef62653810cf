# call: s2sad.grad(f)({1.0, 2.0})
import numpy as np


def f(x):
    return sum(x)
# error
