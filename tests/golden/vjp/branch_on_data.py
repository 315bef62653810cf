# flags: vjp
# inputs: x = 0.7; y = -0.4
import numpy as np


def branch(x, y):
    if x > y:
        z = x * x * y
    else:
        z = np.sin(y)
    return z * x
# output
