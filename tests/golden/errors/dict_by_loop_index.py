# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    d = {}
    for i in range(len(x)):
        d[i] = x[i] ** 2
    return d[0]
# error
# dict_by_loop_index.py:8:9: S305 a dict key must be known at compile time
#     d[i] = x[i] ** 2
#     ^
#   use an array, or a list for what is no number: d = np.zeros(n); d[i] = ...
