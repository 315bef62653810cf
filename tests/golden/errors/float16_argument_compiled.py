# call: s2sad.grad(f, 1, jit=True)(np.ones(3, np.float16), np.ones(3, np.float32))
import numpy as np


def f(x, y):
    return np.sum(x * y)
# error
# float16_argument_compiled.py:6:19: S291 float16 does not exist in compiled code
#     return np.sum(x * y)
#                   ^
#   use float32, or jit=False
