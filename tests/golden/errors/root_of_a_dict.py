# call: s2sad.grad(f)(np.ones(3))
import numpy as np

import s2sad


@s2sad.custom_root(lambda z, p: {"u": z["u"] ** 2 - p[0]})
def root(z, p):
    return {"u": np.sqrt(p[0])}


def f(x):
    return root({"u": 1.0}, x)["u"]
# error
# root_of_a_dict.py:13:12: S306 a number or an array is needed here, not a list or dict
#     return root({"u": 1.0}, x)["u"]
#            ^
#   make an array of it: np.array(...), or s2sad.ravel_pytree(...) of a dict or tuple of arrays
