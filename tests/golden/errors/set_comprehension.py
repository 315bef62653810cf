# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    s = {v for v in x}
    return sum(s)
# error
# set_comprehension.py:6:9: S106 set comprehensions are not supported
#     s = {v for v in x}
#         ^
#   build a list
