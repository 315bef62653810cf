# call: s2sad.grad(f, argnums=3)(1.0)
import numpy as np


def f(x):
    return x * x
# error
# argnums_out_of_range.py:5:1: S341 argnums=3, but f is called with 1 positional arguments
#     def f(x):
#     ^
#   pass what is differentiated by position
