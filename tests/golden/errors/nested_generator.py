# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    def g():
        yield x[0]

    return sum(g())
# error
# nested_generator.py:6:5: S103 generator functions are not supported
#     def g():
#     ^
#   build a list
