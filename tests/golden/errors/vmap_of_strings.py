# call: s2sad.vmap(f)(np.ones((2, 3)))
import numpy as np


def f(x):
    return x, "name"
# error
# vmap_of_strings.py:5:1: S365 vmap cannot stack the str 'name'
#     def f(x):
#     ^
#   return numbers or arrays
