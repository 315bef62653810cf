# call: s2sad.vmap(f, out_axes=2)(np.ones((2, 3)))
import numpy as np


def f(x):
    return x + 1.0
# error
# vmap_out_axes.py:5:1: S364 out_axes has 2 for a result of rank 1
#     def f(x):
#     ^
#   an axis is an int from -2 to 1
