# call: s2sad.grad(f)(np.ones(3))
import numpy as np


from collections import namedtuple

Point = namedtuple("Point", ["x", "y"])


def f(x):
    p = Point(x, x)
    return np.sum(p.z)
# error
# unknown_static_method.py:12:19: S111 `Point` has no attribute `z`
#     return np.sum(p.z)
#                   ^
#   check the spelling
