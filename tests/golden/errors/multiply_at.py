# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    y = x.copy()
    np.multiply.at(y, np.array([0, 0]), 2.0)
    return np.sum(y)
# error
# multiply_at.py:7:5: S118 np.multiply.at is not supported
#     np.multiply.at(y, np.array([0, 0]), 2.0)
#     ^
#   use np.add.at or a loop
