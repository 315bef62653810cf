# call: s2sad.grad(f)(1.0 + 2.0j)
import numpy as np


def f(x):
    return abs(x)
# error
# complex_gradient.py:5:1: S343 argument x of f is complex, which has no gradient in general
#     def f(x):
#     ^
#   use vjp, or split it into real and imaginary part
