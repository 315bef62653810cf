# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    x[0] = 1.0
# error
# nothing_returned.py:5:1: S351 grad needs a scalar result, but f returns nothing
#     def f(x):
#     ^
#   return one number, use has_aux=True for (value, aux), or use vjp or jacobian
