# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return np.sum(np.histogram2d(x, x)[0] * x[0])
# error
# function_without_rule.py:6:19: S201 `np.histogram2d` has no rule
#     return np.sum(np.histogram2d(x, x)[0] * x[0])
#                   ^
#   write it with functions that have one (nearest: `np.histogram` or `np.histogram_bin_edges`), or call it before the differentiated function
