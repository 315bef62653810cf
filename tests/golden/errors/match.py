# call: s2sad.grad(f)(2.0)
import numpy as np


def f(x):
    match x:
        case 1.0:
            return x
    return x * x
# error
