# flags: vjp
# inputs: x = 0.4; y = 1.3
import numpy as np


def kinetic(v):
    return 0.5 * v * v


def energy(x, y):
    return kinetic(x) * kinetic(y) + kinetic(x + y)
# output
