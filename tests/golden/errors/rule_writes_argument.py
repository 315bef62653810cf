# call: s2sad.grad(f)(np.ones(3))
import numpy as np

import s2sad


@s2sad.custom_vjp
def h(x):
    x[0] = 0.0
    return np.sum(x)


h.defvjp(lambda x: (np.sum(x), None), lambda kept, g: (g * np.ones(3),))


def f(x):
    return h(x * 1.0)
# error
# rule_writes_argument.py:17:12: S127 `h` has a rule of its own or is part of one: it must not write its arguments
#     return h(x * 1.0)
#            ^
#   copy first
