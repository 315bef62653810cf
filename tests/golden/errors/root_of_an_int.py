# call: s2sad.grad(f)(1.0)
from scipy.optimize import bisect


def f(a):
    return a * bisect(lambda x: 1 if x > 2.0 else -1, 0.0, 9.0)
# error
# root_of_an_int.py:6:16: S354 the function whose root is sought does not return a float
#     return a * bisect(lambda x: 1 if x > 2.0 else -1, 0.0, 9.0)
#                ^
#   return a float
