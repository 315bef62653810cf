# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    p = {"w": x}
    return np.sum(p["b"])
# error
# missing_key.py:7:19: S319 KeyError: 'b'
#     return np.sum(p["b"])
#                   ^
