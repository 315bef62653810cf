# call: s2sad.sparse_jacobian(f, sparsity=np.eye(3))(np.ones(3))
import numpy as np


def f(x):
    return x * x[0]
# error
# sparsity_with_a_hole.py:5:1: S372 the sparsity given leaves out an entry that is not zero, in row 1 of the matrix
#     def f(x):
#     ^
#   leave `sparsity` away, and it is found
