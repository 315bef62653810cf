# call: s2sad.grad(f).source
import numpy as np


def f(x):
    return x * x
# error
# S340 <s2sad grad of f> has not been compiled yet
#   call it once, or use .source_for(*args)
