# call: s2sad.grad(f)(2.0, np.array([3, 5], np.uint8))
import numpy as np


def f(x, counts):
    found = [0]
    for n in counts:
        found.append(n)
    return x * found[-1]
# error
# list_of_ints_and_uint8.py:8:9: S321 a list built in a loop holds Python numbers and uint8
#     found.append(n)
#     ^
#   convert all items: np.uint8(...)
