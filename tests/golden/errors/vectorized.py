# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return np.vectorize(lambda v: v**2)(x).sum()
# error
# vectorized.py:6:12: S201 `np.vectorize` has no rule
#     return np.vectorize(lambda v: v**2)(x).sum()
#            ^
#   write it with functions that have one (nearest: `np.linalg.vector_norm`), or call it before the differentiated function
