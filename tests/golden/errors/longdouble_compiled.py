# call: s2sad.jvp(f, (np.ones(3, np.longdouble),), (np.ones(3, np.longdouble),), jit=True)
import numpy as np


def f(x):
    return np.sum(x * x)
# error
# longdouble_compiled.py:6:19: S291 longdouble does not exist in compiled code
#     return np.sum(x * x)
#                   ^
#   use float64, or jit=False
