# call: s2sad.grad(f)(2.0)
import numpy as np


def f(x):
    class Point:
        pass

    return x
# error
