# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    y = np.zeros(3)
    y[0] = x
    return np.sum(y)
# error
# rank_too_high.py:7:5: S309 a value of rank 1 does not fit into rank 0
#     y[0] = x
#     ^
