# call: s2sad.grad(f)(2.0)
import numpy as np


CACHE = {}


def f(x):
    CACHE["x"] = x
    return x * x
# error
