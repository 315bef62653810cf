# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return np.einsum("ij,jk->", x, x)
# error
# einsum_ranks.py:6:12: S319 ValueError: einsum subscripts ij do not fit an operand of rank 1
#     return np.einsum("ij,jk->", x, x)
#            ^
#   write it as np.einsum("ij,j->i", a, b): a letter for each axis, commas between operands
