# call: s2sad.grad(f)(2.0)
import numpy as np


def f(x):
    y = np.zeros(3)
    y[:2] = [x, 1j]
    return np.sum(y)
# error
# complex_in_a_list_for_floats.py:7:5: S319 TypeError: must be real number, not complex
#     y[:2] = [x, 1j]
#     ^
