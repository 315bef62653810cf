# call: s2sad.vmap(f, in_axes=None)(np.ones((2, 3)))
import numpy as np


def f(x):
    return np.sum(x)
# error
# vmap_of_nothing.py:5:1: S362 no argument of f is batched
#     def f(x):
#     ^
#   vmap needs an axis to run over: in_axes=0 for some argument
