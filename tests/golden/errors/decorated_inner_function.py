# call: s2sad.grad(f)(np.ones(3))
import numpy as np


import functools


def f(x):
    @functools.lru_cache
    def square(v):
        return v * v

    return square(x[0])
# error
# decorated_inner_function.py:10:5: S123 decorators on nested functions are not supported
#     def square(v):
#     ^
#   define it outside
