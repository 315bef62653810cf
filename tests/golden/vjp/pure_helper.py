# flags: vjp
# inputs: x = 0.4; y = 1.3
import numpy as np


def kinetic(v):
    return 0.5 * v * v


def energy(x, y):
    return kinetic(x) * kinetic(y) + kinetic(x + y)
# output
# s2sad 0.1  energy_vjp (pure_helper.py:10)


def energy_vjp(x, y, y_bar=1.0):
    """Return energy(x, y) and the cotangents of x and y (pure_helper.py:10)."""
    # forward sweep
    t1 = 0.5 * x
    t2 = t1 * x
    t3 = 0.5 * y
    t4 = t3 * y
    t5 = x + y
    t6 = 0.5 * t5
    # reverse sweep
    t7 = t6 * y_bar + 0.5 * (t5 * y_bar)  # pure_helper.py:7
    t8 = t4 * y_bar  # pure_helper.py:11
    t9 = t2 * y_bar  # pure_helper.py:11
    x_bar = t7 + t1 * t8 + 0.5 * (x * t8)  # pure_helper.py:7
    y_bar = t7 + t3 * t9 + 0.5 * (y * t9)  # pure_helper.py:7
    return t2 * t4 + t6 * t5, (x_bar, y_bar)
