# flags: vjp
# inputs: x = 0.7
import numpy as np


def reassigned(x):
    x = x * x
    y = np.sin(x)
    x = y * x + y
    return x * y
# output
