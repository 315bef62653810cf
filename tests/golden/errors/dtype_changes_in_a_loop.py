# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    k = np.zeros(3, dtype=np.float32)
    for _ in range(x.shape[0]):
        k = k + x
    return np.sum(k)
# error
# dtype_changes_in_a_loop.py:8:9: S315 an array of float64 and rank 1 replaces one of float32 and rank 1 in a loop
#     k = k + x
#     ^
#   keep one dtype and rank from the start
