# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    def g(v):
        return v

    return g
# error
# function_returned.py:9:5: S323 a function cannot be returned or passed on here
#     return g
#     ^
