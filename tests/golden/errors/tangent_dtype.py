# call: s2sad.jvp(f, (1.0,), (1.0j,))
import numpy as np


def f(x):
    return x * x
# error
# S332 tangents[0] has dtype complex128, its primal float64
#   convert it first
