# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    z = 0j
    for v in x:
        z += v * 1j
    y = np.zeros(3)
    y[0] = z
    return np.sum(y)
# error
# complex_of_python_or_numpy.py:10:5: S312 a complex number that may be Python's, of which NumPy makes no real one, is stored in an array of float64
#     y[0] = z
#     ^
#   take a part of it: z.real
