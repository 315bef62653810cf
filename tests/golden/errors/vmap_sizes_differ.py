# call: s2sad.vmap(f)(np.ones((2, 3)), np.ones((3, 3)))
import numpy as np


def f(x, y):
    return x @ y
# error
# vmap_sizes_differ.py:5:1: S363 the batched axes of the arguments of vmap have sizes 2 and 3
#     def f(x, y):
#     ^
#   they must be equal; in_axes chooses other axes, or None
