# call: s2sad.grad(f)(2.0)
import numpy as np


import math


def f(x):
    return math.gamma(x)
# error
# gamma.py:9:12: S203 math.gamma has no derivative rule
#     return math.gamma(x)
#            ^
#   call it on what does not vary
