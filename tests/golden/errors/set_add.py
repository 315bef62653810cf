# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    seen = set()
    for i in range(3):
        seen.add(i)
    return x[0] * len(seen)
# error
# set_add.py:8:9: S201 sets are not supported
#     seen.add(i)
#     ^
#   use a list, or flags: seen = np.zeros(n, dtype=bool); seen[i] = True
