# call: s2sad.grad(f)(2.0)
import numpy as np


def f(x):
    try:
        y = x**2
    except ValueError:
        y = x
    return y
# error
# try.py:6:5: S104 `try` is not supported
#     try:
#     ^
#   test the condition with an `if` before the call
