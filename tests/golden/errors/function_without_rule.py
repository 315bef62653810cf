# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return np.sum(np.trim_zeros(x))
# error
# function_without_rule.py:6:19: S201 `np.trim_zeros` has no rule
#     return np.sum(np.trim_zeros(x))
#                   ^
#   write it with functions that have one, or call it before the differentiated function
