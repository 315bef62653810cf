# call: s2sad.vmap(f, in_axes=(0, 0))(np.ones((2, 3)))
import numpy as np


def f(x):
    return np.sum(x)
# error
# vmap_in_axes.py:5:1: S360 in_axes has 2 items for 1 positional arguments
#     def f(x):
#     ^
#   give one for each, None where an argument is not batched
