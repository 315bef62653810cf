# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    k = np.zeros(3, dtype=np.float32)
    for _ in range(x.shape[0]):
        k = k + x
    return np.sum(k)
# error
