# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return np.sum(np.real(np.floor(x * 1j)))
# error
# complex_floor.py:6:27: S325 TypeError: ufunc 'floor' not supported for the input types, and the inputs could not be safely coerced to any supported types according to the casting rule ''safe''
#     return np.sum(np.real(np.floor(x * 1j)))
#                           ^
