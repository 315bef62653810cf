# call: s2sad.grad(f)(np.ones(3))
import numpy as np

import s2sad


@s2sad.custom_vjp
def h(x):
    return x * x


def forward(x):
    return x * x, x


def backward(x, g):
    return 2.0 * x * g


h.defvjp(forward, backward)


def f(x):
    return np.sum(h(x))
# error
# rule_misfits.py:16:1: S354 the reverse half of a rule returns a tuple, with one cotangent per argument of h (1)
#     def backward(x, g):
#     ^
#   return (x_bar,) for one argument, None where there is no cotangent
