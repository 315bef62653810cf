# call: s2sad.grad(f)(2.0)
import numpy as np


def f(x):
    return x @ x
# error
# matmul_of_scalars.py:6:12: S317 `@` needs arrays of rank 1 or more
#     return x @ x
#            ^
#   use `*` for scalars
