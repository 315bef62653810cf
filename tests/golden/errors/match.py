# call: s2sad.grad(f)(2.0)
import numpy as np


def f(x):
    match x:
        case 1.0:
            return x
    return x * x
# error
# match.py:6:5: S121 `match` is not supported
#     match x:
#     ^
#   use if/elif
