# call: s2sad.grad(f)(2.0)
import numpy as np
import scipy.special


def f(x):
    return scipy.special.jv(x, 1.5)
# error
# order_varies.py:7:12: S203 scipy.special.jv has no derivative rule for its argument 1, which varies here
#     return scipy.special.jv(x, 1.5)
#            ^
#   stop_gradient(...) around the argument makes it a constant
