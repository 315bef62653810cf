# call: s2sad.grad(f, jit=True)(np.ones(3, dtype=np.float16))
import numpy as np


def f(x):
    return np.sum(x * x)
# error
# float16_compiled.py:6:19: S291 float16 does not exist in compiled code
#     return np.sum(x * x)
#                   ^
#   use float32, or jit=False
