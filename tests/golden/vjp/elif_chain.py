# flags: vjp
# inputs: x = 0.3
import numpy as np


def pieces(x):
    if x > 1.0:
        y = x * x
    elif x > 0.0:
        y = np.sin(x)
    else:
        y = -x
    return 3.0 * y
# output
