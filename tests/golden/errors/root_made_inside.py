# call: s2sad.grad(f)(2.0)
import numpy as np

import s2sad


def f(a):
    root = s2sad.custom_root(lambda x, a: x * x - a)(lambda x, a: np.sqrt(a))
    return root(1.0, a)
# error
# root_made_inside.py:8:12: S123 `s2sad.custom_root` cannot be called inside a function that is differentiated
#     root = s2sad.custom_root(lambda x, a: x * x - a)(lambda x, a: np.sqrt(a))
#            ^
#   call it at the top of a module, and here what it returned
