# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    x.scale = 2.0
    return np.sum(x)
# error
# assigned_attribute.py:6:5: S122 attributes of an array cannot be assigned here
#     x.scale = 2.0
#     ^
#   use a local name
