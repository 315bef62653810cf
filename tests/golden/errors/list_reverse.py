# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    ys = []
    for v in x:
        ys.append(v)
    ys.reverse()
    return ys[0]
# error
# list_reverse.py:9:5: S107 reverse of a list built in a loop is not supported
#     ys.reverse()
#     ^
#   use ys[::-1]
