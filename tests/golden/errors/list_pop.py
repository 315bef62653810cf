# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    ys = []
    for v in x:
        ys.append(v)
    return ys.pop()
# error
# list_pop.py:9:12: S107 pop from a list built in a loop is not supported
#     return ys.pop()
#            ^
#   use an array
