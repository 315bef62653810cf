# flags: vjp
# inputs: x = 0.4; y = 1.3
import numpy as np


def polar(x, y):
    r = np.sqrt(x * x + y * y)
    return r, np.arctan2(y, x)
# output
