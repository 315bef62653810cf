# call: s2sad.grad(f)(3)
import numpy as np


def f(x):
    return x * x
# error
# int_argument.py:5:1: S342 argument x of f is an int: no derivative exists with respect to it
#     def f(x):
#     ^
#   pass a float, for instance 3.0 or float(x)
