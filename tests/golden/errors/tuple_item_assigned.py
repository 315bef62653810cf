# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    t = (x[0], x[1])
    t[0] = 1.0
    return t[0]
# error
# tuple_item_assigned.py:7:5: S318 a tuple does not support item assignment
#     t[0] = 1.0
#     ^
