# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    ys = []
    for i in range(x.size):
        ys.append(x[i])
    ys.sort()
    return ys[0]
# error
# sort_of_a_growing_list.py:9:5: S107 sort of a list built in a loop is not supported
#     ys.sort()
#     ^
#   use np.sort(np.array(ys))
