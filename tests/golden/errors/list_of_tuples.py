# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    ys = []
    for v in x:
        ys.append((v, v * v))
    return np.sum(np.array(ys))
# error
# list_of_tuples.py:8:9: S321 a list built in a loop can hold numbers or arrays, not a tuple
#     ys.append((v, v * v))
#     ^
#   build one list for each part
