# call: s2sad.grad(f)(2.0, np.array([3, 5], np.uint64))
import numpy as np


def f(x, counts):
    best = -1
    for n in counts:
        if n > best:
            best = n
    return x * best
# error
# python_int_or_uint64.py:8:16: S313 `best` is a Python int on one path, and np.uint64 on another
#     if n > best:
#            ^
#   begin with np.uint64(...), or convert with int(...)
