# call: s2sad.sparse_jacobian(f)(np.ones(3))
import numpy as np


def f(x):
    return x * x, x
# error
# sparse_jacobian_of_two.py:5:1: S370 a sparse matrix is the derivative of one float array by one, not so for f
#     def f(x):
#     ^
#   choose the argument by argnums, and return one array of floats
