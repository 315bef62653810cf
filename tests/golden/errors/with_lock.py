# call: s2sad.grad(f)(np.ones(3))
import numpy as np


import threading

LOCK = threading.Lock()


def f(x):
    with LOCK:
        return np.sum(x)
# error
# with_lock.py:11:5: S119 `with` is supported only for np.errstate
#     with LOCK:
#     ^
#   open it around the call
