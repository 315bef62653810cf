# flags: vjp
# inputs: a = rng.normal(size=(3, 4)); b = rng.normal(size=(4, 2)); x = rng.normal(size=2)
import numpy as np


def products(a, b, x):
    y = a @ (b @ x)
    return y @ y
# output
