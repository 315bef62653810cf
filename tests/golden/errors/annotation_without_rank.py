# call: example_for(f, None, {})
import numpy as np


def f(x: np.ndarray):
    return np.sum(x)
# error
# S344 the annotation np.ndarray of x does not tell a rank
#   annotate x: "f8[:, :]" (or f8[:], f4[:], float), or pass --like with example arguments
