# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    ys = [x[0], x[1]]
    del ys[0], x[0]
    return ys[0]
# error
# del_element.py:7:5: S106 `del` is supported for names and items of dicts and lists
#     del ys[0], x[0]
#     ^
#   make a new list or array
