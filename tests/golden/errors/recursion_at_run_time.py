# call: s2sad.grad(f)(0.4, 3)
import numpy as np


def f(x, n):
    if n == 0:
        return x
    return np.sin(f(x, n - 1))
# error
# recursion_at_run_time.py:8:19: S115 the recursion of `f` does not end at compile time
#     return np.sin(f(x, n - 1))
#                   ^
#   write it as a loop, or make the depth a literal
