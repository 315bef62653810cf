# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    def g(v):
        return v

    return g[0]
# error
# subscripted_closure.py:9:12: S113 a function cannot be subscripted
#     return g[0]
#            ^
#   index an array or container
