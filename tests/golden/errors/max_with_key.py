# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return max(x[0], x[1], key=abs)
# error
# max_with_key.py:6:12: S118 `max` with keywords is not supported
#     return max(x[0], x[1], key=abs)
#            ^
#   use a loop
