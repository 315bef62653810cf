# flags: vjp
# inputs: a = 2.3
import numpy as np


def square_root(a):
    x = 1.0
    while abs(x * x - a) > 1e-12:
        x = 0.5 * (x + a / x)
    return x
# output
