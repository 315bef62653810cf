# call: s2sad.sparse_jacobian(f, sparsity=np.eye(2))(np.ones(3))
import numpy as np


def f(x):
    return x * x
# error
# S371 the sparsity given has shape (2, 2), but the argument has 3 elements
#   flatten both
