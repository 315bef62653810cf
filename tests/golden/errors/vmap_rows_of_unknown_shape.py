# call: s2sad.vmap(f)(np.ones((2, 3)))
import numpy as np


def f(x):
    return x[x > 0.0]
# error
# vmap_rows_of_unknown_shape.py:5:1: S366 the shape of what the function under vmap returns is not known before it runs
#     def f(x):
#     ^
#   return an array of a shape that follows from the arguments'
