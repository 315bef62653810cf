# call: s2sad.grad(f)(2.0)


import time


def f(x):
    return x * time.time()
# error
# foreign_function.py:8:16: S201 `time.time` has no rule
#     return x * time.time()
#                ^
#   write it with functions that have one, or call it before the differentiated function
