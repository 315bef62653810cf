# call: s2sad.jvp(f, (np.ones(3),), (np.ones(2),))
import numpy as np


def f(x):
    return x * x
# error
# S333 tangents[0] has shape (2,), its primal (3,)
#   a tangent or cotangent has the shape of its primal
