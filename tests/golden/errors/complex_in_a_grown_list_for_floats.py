# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    items = []
    for v in x:
        items.append(complex(v, 1.0))
    y = np.zeros(3)
    y[:] = items
    return np.sum(y)
# error
# complex_in_a_grown_list_for_floats.py:10:5: S319 TypeError: must be real number, not complex
#     y[:] = items
#     ^
