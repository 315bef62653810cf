# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    s = 0.0
    for k in (1.0, 2.0, 3.0):
        if x[0] > k:
            break
        s += x[1] * k
    return s
# error
# break_in_an_unrolled_loop.py:9:13: S124 `break` under a run-time condition in a loop that is unrolled
#     break
#     ^
#   loop over range(n) and an array instead of a tuple or list
