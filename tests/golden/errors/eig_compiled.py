# call: s2sad.jit(f)(np.eye(2))
import numpy as np


def f(a):
    w, v = np.linalg.eigh(a, "U")
    return v @ w
# error
# eig_compiled.py:6:12: S292 np.linalg.eigh(a, "U") cannot be compiled: the signs of its vectors would be others
#     w, v = np.linalg.eigh(a, "U")
#            ^
#   use jit=False, or the lower triangle
