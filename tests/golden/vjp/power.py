# flags: vjp
# inputs: x = 1.7; y = 0.6
import numpy as np


def power(x, y):
    return x**y * x**3
# output
