# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return x[0] + "text"
# error
# text_and_a_number.py:6:12: S306 a number or an array is needed here, not the str 'text'
#     return x[0] + "text"
#            ^
