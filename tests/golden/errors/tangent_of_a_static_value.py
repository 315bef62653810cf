# call: s2sad.jvp(f, (1.0, "relu"), (1.0, 2.0))
import numpy as np


def f(x, mode):
    return x if mode == "relu" else -x
# error
# S331 tangents[1] belongs to a static value, which does not vary
#   pass None
