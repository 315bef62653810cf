# call: s2sad.grad(f, jit=True)(np.ones(3))
import numpy as np


def f(x):
    return np.max(x * 1j).imag
# error
# largest_of_complex.py:6:12: S292 compiled code does not find the largest of complex numbers
#     return np.max(x * 1j).imag
#            ^
#   compare the real parts, or use jit=False
