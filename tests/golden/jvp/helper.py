# flags: jvp
# inputs: x = 0.4; y = 1.3
import numpy as np


def kinetic(v):
    return 0.5 * v * v


def energy(x, y):
    return kinetic(x) * kinetic(y) + kinetic(x + y)
# output
# s2sad 0.1  energy_jvp (helper.py:10)


def energy_jvp(x, y, x_dot, y_dot):
    """Return energy(x, y) and the tangent (helper.py:10)."""
    t1 = 0.5 * x
    t2 = t1 * x
    t3 = 0.5 * y
    t4 = t3 * y
    t5 = t4 * (x * (0.5 * x_dot) + t1 * x_dot) + t2 * (y * (0.5 * y_dot) + t3 * y_dot)  # helper.py:11
    t6 = x + y
    t7 = x_dot + y_dot  # helper.py:11
    t8 = 0.5 * t6
    return t2 * t4 + t8 * t6, t5 + (t6 * (0.5 * t7) + t8 * t7)
