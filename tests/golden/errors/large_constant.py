# call: s2sad.grad(f)(np.ones(3))
import numpy as np


TABLE = [float(k) for k in range(5000)]


def f(x):
    return x[0] * np.sum(np.array([float(k) for k in range(5000)]))
# error
