# call: s2sad.grad(f)(2.0)
import numpy as np


def f(x):
    if x < 0.0:
        raise
    return x
# error
# bare_raise.py:7:9: S104 `raise` without an exception is not supported
#     raise
#     ^
#   name it: raise ValueError(...)
