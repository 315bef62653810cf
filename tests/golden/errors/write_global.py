# call: s2sad.grad(f)(2.0)
import numpy as np


COUNT = 0


def f(x):
    global COUNT
    COUNT = COUNT + 1
    return x * COUNT
# error
# write_global.py:9:5: S105 writing a global is not supported
#     global COUNT
#     ^
#   return the value instead
