# call: s2sad.grad(f)({1.0, 2.0})
import numpy as np


def f(x):
    return sum(x)
# error
# S304 argument 0 is a set
#   pass tuples, lists, dicts, namedtuples or dataclasses
