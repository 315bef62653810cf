# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def fail(v):
    raise ValueError("no")


def f(x):
    return fail(x) + np.sum(x)
# error
# helper_never_returns.py:10:12: S125 `fail` never returns here
#     return fail(x) + np.sum(x)
#            ^
#   return a value on some path
