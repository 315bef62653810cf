# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    y = x
    for _ in range(x.shape[0]):
        y = np.outer(y, x)
    return np.sum(y)
# error
# rank_grows_in_a_loop.py:8:9: S315 an array of float64 and rank 2 replaces one of float64 and rank 1 in a loop
#     y = np.outer(y, x)
#     ^
#   keep one dtype and rank from the start
