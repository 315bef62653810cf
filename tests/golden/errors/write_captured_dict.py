# call: s2sad.grad(f)(2.0)
import numpy as np


CACHE = {}


def f(x):
    CACHE["x"] = x
    return x * x
# error
# write_captured_dict.py:9:5: S105 containers from outside the differentiated function must not be written
#     CACHE["x"] = x
#     ^
#   copy it first
