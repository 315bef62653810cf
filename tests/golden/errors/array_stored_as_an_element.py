# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    y = np.zeros(3)
    y[0] = x[:1]
    return np.sum(y)
# error
# array_stored_as_an_element.py:7:5: S319 ValueError: setting an array element with a sequence
#     y[0] = x[:1]
#     ^
#   store a number: y[i] = x[0]
