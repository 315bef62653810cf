# call: s2sad.grad(f)(np.ones(3))
import numpy as np


import functools


def f(x):
    @functools.lru_cache
    def square(v):
        return v * v

    return square(x[0])
# error
