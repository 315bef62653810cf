# call: s2sad.grad(f)(np.ones(3))
import numpy as np


NAMES = tuple(range(400))


def f(x):
    s = 0.0
    for k in NAMES:
        s = s * x[0] + k
    return s
# error
# long_unrolled_loop.py:10:5: S307 a container of 400 items is too large to be read
#     for k in NAMES:
#     ^
#   make it an array: np.array(items)
