# call: s2sad.jit(f)(np.eye(2))
import numpy as np


def f(a):
    return np.linalg.eigvals(a).real
# error
# eig_compiled.py:6:12: S292 np.linalg.eigvals cannot be compiled: its vectors would have other signs or another order
#     return np.linalg.eigvals(a).real
#            ^
#   use jit=False, or eigh of the lower triangle
