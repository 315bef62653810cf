# call: s2sad.grad(f)(np.ones(3))
import itertools

import numpy as np


def f(x):
    total = 0.0
    for a, b in itertools.product(x[x > 0.5], repeat=2):
        total += a * b
    return total
# error
# product_of_unknown_length.py:9:17: S305 itertools.product needs iterables of a length that is known here
#     for a, b in itertools.product(x[x > 0.5], repeat=2):
#                 ^
#   write loops over range(n)
