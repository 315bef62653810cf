# call: s2sad.grad(f)(np.ones(3))
import numpy as np


def f(x):
    return np.add(x, 1.0, where=x > 0.5).sum()
# error
# ufunc_where.py:6:12: S118 where= without out= leaves elements undefined
#     return np.add(x, 1.0, where=x > 0.5).sum()
#            ^
#   give what they are: out=np.zeros_like(x)
