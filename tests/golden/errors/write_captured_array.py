# call: s2sad.grad(f)(np.ones(3))
import numpy as np


LOG = np.zeros(3)


def f(x):
    LOG[0] = x[0]
    return np.sum(x * LOG)
# error
# write_captured_array.py:9:5: S105 `LOG` lives outside the differentiated function and must not be written
#     LOG[0] = x[0]
#     ^
#   pass it as an argument, or write to a copy
