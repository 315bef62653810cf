# call: s2sad.grad(f)(2.0)
import numpy as np


def f(x):
    s = 0.0
    for v in x:
        s += v
    return s
# error
# iterated_number.py:7:14: S310 a number is used as an array here
#     for v in x:
#              ^
#   pass an array, or annotate the argument: x: "f8[:]"
